#!/usr/bin/env bash
# A Slurm of one machine, for the tests: as root, without systemd and without accounting.
#
#   slurm.sh install     the packages, where apt has them
#   slurm.sh start DIR   writes DIR/slurm.conf and starts munged (unless one runs), slurmctld and slurmd; says why where it cannot
#   slurm.sh stop DIR    ends what start began, by its process ids
#
# The daemons are looked for in PATH and in $ERW_TEST_SBIN.
set -euo pipefail

sbin=${ERW_TEST_SBIN:-/usr/sbin}

quit() {
  echo "$*" >&2
  exit 1
}

# Tries a command for so many tenths of a second.
within() {
  local tries=$1
  shift
  for _ in $(seq "$tries"); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  return 1
}

install_packages() {
  command -v apt-get >/dev/null || quit "there is no apt-get here"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq slurm-wlm munge
}

munge_up() {
  munge -n >/dev/null 2>&1 && return 0
  mkdir -p /run/munge
  chown munge: /run/munge
  su -s /bin/sh munge -c "$sbin/munged --pid-file=/run/munge/munged.pid" || return 1
  within 100 munge -n || return 1
  cp /run/munge/munged.pid "$1/munged.pid"
}

settings() {
  local dir=$1 host=$2 port=$((20000 + $$ % 20000 * 2))
  cat <<CONF
ClusterName=erwtest
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=600
KillWait=10
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

idle() {
  sinfo --noheader --format=%t | grep -q idle
}

start() {
  local dir host
  [ "$(id -u)" = 0 ] || quit "Slurm is set up as root only"
  for program in slurmctld slurmd sbatch munged; do
    PATH=$PATH:$sbin command -v $program >/dev/null || quit "there is no $program here: tests/slurm.sh install"
  done
  mkdir -p "$1/state" "$1/spool"
  dir=$(cd "$1" && pwd)
  host=$(hostname -s)
  settings "$dir" "$host" >"$dir/slurm.conf"
  export SLURM_CONF=$dir/slurm.conf PATH=$PATH:$sbin
  munge_up "$dir" || quit "munged does not start"
  slurmctld || quit "slurmctld does not start: $dir/slurmctld.log"
  within 200 scontrol ping || quit "slurmctld does not answer: $dir/slurmctld.log"
  slurmd || quit "slurmd does not start: $dir/slurmd.log"
  within 300 idle || quit "the node does not become idle: $dir/slurmd.log"
}

stop() {
  local program
  for program in slurmd slurmctld munged; do
    [ -f "$1/$program.pid" ] && kill "$(cat "$1/$program.pid")" 2>/dev/null || true
  done
}

case ${1:-} in
  install) install_packages ;;
  start) start "${2:?a folder}" ;;
  stop) stop "${2:?a folder}" ;;
  *) quit "slurm.sh install | start DIR | stop DIR" ;;
esac
