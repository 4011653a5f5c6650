/* Umbrella header of libquobyte-mesos: the planner of Quobyte deployments on Mesos. */
#ifndef QUOBYTE_MESOS_H
#define QUOBYTE_MESOS_H

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/allocator.h>
#include <quobyte-mesos/base.h>
#include <quobyte-mesos/cluster.h>
#include <quobyte-mesos/config.h>
#include <quobyte-mesos/device.h>
#include <quobyte-mesos/error.h>
#include <quobyte-mesos/explain.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/plan.h>
#include <quobyte-mesos/planner.h>
#include <quobyte-mesos/resources.h>
#include <quobyte-mesos/service.h>
#include <quobyte-mesos/state.h>
#include <quobyte-mesos/trace.h>
#include <quobyte-mesos/version.h>

#endif
