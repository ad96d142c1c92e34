#!/usr/bin/env bash
# Runs the pipeline on a real cluster of two nodes, which .ci/slurm-up.sh starts on this machine: bash bench/scale/cluster.sh
# [ARGUMENT]... Needs root and Debian's slurm-wlm and munge.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d /tmp/scriptspec-scale-XXXXXX)
trap 'bash .ci/slurm-down.sh "$dir"' EXIT
export PREFIX=scale$$x # as in .ci/slurm
cluster=$(bash .ci/slurm-up.sh "$dir")
eval "$cluster"
go run ./bench/scale -slurm "${@:--nodes=1000}"
