#!/usr/bin/env bash
# The whole way for FLUX.1-dev on one machine with several GPUs: grids are drawn by a process for each GPU, the adapter is trained on all of them at once.
#   train.sh MODEL CAPTIONS CHAT OUT [GPUS]
# MODEL is FLUX.1-dev's folder, CAPTIONS a text file, CHAT the file of the judge (docs/judging.md). Run it again after an interruption: it goes on.
set -euo pipefail
model=$1 captions=$2 chat=$3 out=$4
gpus=${5:-$(nvidia-smi --list-gpus | wc -l)}

# Each shard takes the captions whose keys belong to it, in a folder of its own.
shards=() working=()
for ((i = 1; i <= gpus; i++)); do
    shards+=("$out/run-$i")
    dsd curate run --captions "$captions" --shard "$i/$gpus" --model "$model" --device "cuda:$((i - 1))" --chat "$chat" --out "$out/run-$i" &
    working+=($!)
done
for process in "${working[@]}"; do wait "$process"; done

[ -d "$out/run" ] || dsd curate merge --out "$out/run" "${shards[@]}"
[ -d "$out/pairs" ] || dsd dataset write "$out/run" --out "$out/pairs"
dsd train --model "$model" --device cuda --gpus "$gpus" --pairs "$out/pairs" --rank 128 --targets all --steps 5000 --out "$out/lora"
