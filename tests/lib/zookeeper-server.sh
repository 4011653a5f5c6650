#!/bin/sh
# Runs a real ZooKeeper server from Debian's packages in the foreground until it is killed:
#   zookeeper-server.sh DIRECTORY PORT
# Loopback only; its data stay in DIRECTORY and survive a restart.
set -eu
directory=$1
port=$2
java=/usr/share/java
mkdir -p "$directory/data"
cat >"$directory/zoo.cfg" <<CONFIG
tickTime=500
maxSessionTimeout=120000
dataDir=$directory/data
clientPort=$port
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=ruok
CONFIG
path=
for jar in zookeeper zookeeper-jute slf4j-api slf4j-simple netty-buffer netty-common netty-codec \
    netty-handler netty-resolver netty-transport netty-transport-native-epoll \
    netty-transport-native-unix-common commons-cli metrics-core snappy-java log4j-1.2; do
    path=$path:$java/$jar.jar
done
exec java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$path" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dzookeeper.fsync.warningthresholdms=60000 \
    org.apache.zookeeper.server.ZooKeeperServerMain "$directory/zoo.cfg"
