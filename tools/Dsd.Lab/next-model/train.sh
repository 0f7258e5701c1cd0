#!/usr/bin/env bash
# Trains the embedded model from nothing at 128 pixels on four GPUs, in four parts of less than ten minutes each (guessed: it has not run on GPUs yet).
# Usage: bash train.sh PART LAB WORK OUT   with PART one of stages, teacher, guidance, students, in this order.
# LAB is the program dsd-lab; WORK keeps the model between the parts; OUT gets logs, figures and weights, the small ones first.
# FULL=training-128-deep takes the other network.
set -u
part=$1 lab=$2 work=$3 out=$4
configs=$(dirname "$(realpath "$0")")
model=$work/model config=$work/config.json
all=cuda:0,cuda:1,cuda:2,cuda:3
cores=$(nproc)
mkdir -p "$work" "$out"
say() { echo "$(date +%T) $*" | tee -a "$out/times.log"; }
stage() { # DEVICE THREADS MINUTES STAGE...
  local device=$1 threads=$2 minutes=$3; shift 3
  "$lab" train --out "$model" --config "$config" --device "$device" --threads "$threads" --minutes "$minutes" --stage "$@" > "$out/$1.log" 2>&1
  say "$1: $(tail -1 "$out/$1.log")"
}
share=$((cores / 4 - 1))
case $part in
stages)
  cp "$configs/${FULL:-training-128}.json" "$config"
  stage cpu 4 1 tokenizers
  cp -r "$(dirname "$lab")/dsd-tiny/vae" "$model/"
  stage cuda:0 $share 8 vae & stage cuda:1 $share 8 judge & stage cuda:2 $share 8 classifier &
  # The fourth GPU has time after the text encoders: how long is a step of a quarter of the teacher's batch?
  ( stage cuda:3 $share 8 text
    cp -r "$model" "$work/trial" && rm -rf "$work/trial/.training"
    sed -e 's/"steps": [0-9]*, "batch": 3072/"steps": 300, "batch": 768/' -e 's/"alignment_weight": 0.5/"alignment_weight": 0/' \
      -e 's/"look_steps": [0-9]*/"look_steps": 0/' -e 's/"pool": [0-9]*/"pool": 6000/' "$config" > "$work/trial.json"
    "$lab" train --out "$work/trial" --config "$work/trial.json" --device cuda:3 --threads $share --minutes 3 --stage teacher > "$out/trial.log" 2>&1
    # Seconds from step 50 to step 250, a step.
    awk '/^teacher: step 50\//{a=$(NF-1)} /^teacher: step 250\//{b=$(NF-1)} END {if (b > a) printf "%.4f\n", (b - a) / 200; else print 0.15}' "$out/trial.log" > "$work/step"
    cp "$work/step" "$out/"; say "trial: $(cat "$work/step") s a step" ) &
  wait
  mkdir -p "$out/early" && cp -r "$model/judge" "$model/classifier" "$model/vae" "$model/text_encoder" "$model/text_encoder_2" "$out/early/" ;;
teacher)
  # Steps for 11 minutes, a fifth slower than the trial: alignment, four shares, pools. Never outside 1500 to 6000, whole looks.
  steps=$(awk -v s="$(cat "$work/step")" 'BEGIN {n = int(660 / (1.2 * s) / 4) * 4; if (n < 1500) n = 1500; if (n > 6000) n = 6000; print n}')
  if [ ! -f "$work/steps" ]; then
    echo "$steps" > "$work/steps"
    sed -i -e "s/\"steps\": [0-9]*, \"batch\": 3072/\"steps\": $steps, \"batch\": 3072/" -e "s/\"look_steps\": [0-9]*/\"look_steps\": $((steps / 4))/" "$config"
  fi
  say "teacher: $(cat "$work/steps") steps"
  stage $all $((cores - 8)) "${MINUTES:-9}" teacher
  cp "$config" "$model/.training/look.json" "$model/.training/look.png" "$out/" 2>/dev/null
  for p in transformer text_encoder text_encoder_2; do mkdir -p "$out/look/$p"; cp "$model/.training/look/$p"/* "$out/look/$p/" 2>/dev/null; done ;;
guidance)
  stage cuda:0 $((cores / 2)) 5 guidance
  "$lab" look --model "$model" --out "$out/look-guided" --subjects 200 --device cuda:1 > "$out/look-guided.log" 2>&1 &
  "$lab" report --model "$model" --out "$out/report" --device cuda:2 > "$out/report.log" 2>&1 &
  cp -r "$model/transformer" "$model/text_encoder" "$model/text_encoder_2" "$out/"
  # The grids are drawn at the same time, on all. They are kept where the time is up, or when training has begun, which then begins anew in each copy.
  "$lab" train --out "$model" --config "$config" --stage student --device $all --threads $((cores / 2)) --minutes "${GRIDS:-2.5}" > "$out/grids.log" 2>&1
  wait ;;
students)
  # Ranks, and whether the condition embedder starts from the teacher's x_embedder.
  i=0
  for one in ${STUDENTS:-32:0 32:1 48:0 48:1}; do
    ( name=${one%:*}-${one#*:} copy=$work/student-${one%:*}-${one#*:}
      cp -r "$model" "$copy" && rm -rf "$copy/.training/student" "$copy/.training/student.lock"
      sed "s/\"rank\": [0-9]*, \"condition_start\": [0-9]*/\"rank\": ${one%:*}, \"condition_start\": ${one#*:}/" "$config" > "$work/student-$name.json"
      CUDA_VISIBLE_DEVICES=$i "$lab" train --out "$copy" --config "$work/student-$name.json" --stage student --device cuda --threads $share \
        --minutes "${MINUTES:-5}" > "$out/student-$name.log" 2>&1
      mkdir -p "$out/student-$name" && cp "$copy/dsd"/*.safetensors "$copy/.training/student.png" "$out/student-$name/"
      CUDA_VISIBLE_DEVICES=$i "$lab" measure --model "$copy" --lora "$copy/dsd/pytorch_lora_weights.safetensors" --subjects 50 --device cuda \
        --out "$out/student-$name/measure" > "$out/student-$name/measure.log" 2>&1
      say "student $name: $(tail -1 "$out/student-$name/measure.log")" ) &
    i=$((i + 1))
  done
  wait
  # CP, PF and file: the best first, those with a PF of at least 0.98 alone. measure.md has the others.
  for f in "$out"/student-*/measure/measure.json; do
    awk -v f="$f" '/"mean"/ {gsub(/[^0-9.]/, "", $2); m[++n] = $2} END {if (n > 1 && m[2] >= 0.98) print m[1], m[2], f}' "$f"
  done | sort -rn | tee "$out/ranking.txt" ;;
esac
