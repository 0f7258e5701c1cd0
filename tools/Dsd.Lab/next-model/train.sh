#!/usr/bin/env bash
# Trains the embedded model further at 128 pixels on four GPUs, in parts that follow each other: begin, teacher, guidance, students.
# Usage: bash train.sh PART LAB WORK OUT
# LAB is the program dsd-lab, or a script that starts it; WORK keeps the model between the parts; OUT gets logs, figures and weights.
# TEACHER_SECONDS, STUDENT_STEPS and STUDENTS (rank:condition_start, one for each GPU) may be set.
set -u
part=$1 lab=$2 work=$3 out=$4
config=$(dirname "$(realpath "$0")")/training-128.json
model=$work/model
all=cuda:0,cuda:1,cuda:2,cuda:3
cores=$(nproc)
share=$((cores / 4 - 1))
mkdir -p "$work" "$out"
say() { echo "$(date +%T) $*" | tee -a "$out/times.log"; }
# Each training has cores of its own: several that take all of them are ten times slower.
train() { # LOG GPU ARGUMENTS...
  local log=$out/$1.log gpu=$2; shift 2
  CUDA_VISIBLE_DEVICES=$gpu taskset -c $((gpu * cores / 4))-$(((gpu + 1) * cores / 4 - 1)) "$lab" train --device cuda --threads $share "$@" > "$log" 2>&1
  say "$(basename "$log"): $(tail -2 "$log" | head -1)"
}
case $part in
begin)
  # The parts of the packaged model are the start. Judge and classifier see larger pictures and begin anew; of the autoencoder the decoder learns on.
  "$lab" train --out "$model" --config "$config" --from tiny --stage tokenizers > "$out/from.log" 2>&1
  rm -rf "$model/judge" "$model/classifier" "$model"/.training/{judge,classifier,vae}.done
  ( train judge 0 --out "$model" --config "$config" --stage judge; train vae 0 --out "$model" --config "$config" --stage vae ) &
  train classifier 1 --out "$model" --config "$config" --stage classifier &
  # Two teachers on one GPU each: one whose loss minds the details, one whose loss does not. The better one goes on.
  for gpu in 2 3; do
    detail=$([ $gpu = 2 ] && echo 2 || echo 0)
    sed -e 's/"steps": 4000, "batch": 3072/"steps": '"${BEGIN_STEPS:-1500}"', "batch": 768/' -e "s/\"detail_weight\": 2/\"detail_weight\": $detail/" \
      -e 's/"look_steps": 1000/"look_steps": 0/' "$config" > "$work/detail-$detail.json"
    train "teacher-detail-$detail" $gpu --out "$work/detail-$detail" --from tiny --config "$work/detail-$detail.json" --stage teacher &
  done
  wait
  for gpu in 2 3; do
    detail=$([ $gpu = 2 ] && echo 2 || echo 0)
    tried=$work/detail-$detail
    rm -rf "$tried/classifier" "$tried/vae" && cp -r "$model/classifier" "$model/vae" "$tried/"
    CUDA_VISIBLE_DEVICES=$gpu "$lab" look --model "$tried" --out "$out/look-detail-$detail" --subjects 128 --steps 16 --guidance 1 --device cuda \
      > "$out/look-detail-$detail.log" 2>&1 &
  done
  wait
  for detail in 0 2; do
    python3 -c 'import json, sys; f = json.load(open(sys.argv[1]))[0]; print(f["held_share"], sys.argv[2])' "$out/look-detail-$detail/look.json" $detail
  done | sort -rn | tee "$out/ranking-teachers.txt" | head -1 | cut -d' ' -f2 > "$work/detail"
  say "teachers: $(tr '\n' ' ' < "$out/ranking-teachers.txt")" ;;
teacher)
  detail=$(cat "$work/detail")
  # A step of all four takes a quarter longer than one of one with its quarter of the batch: a guess from three GPUs.
  steps=$(awk -v s="${TEACHER_SECONDS:-700}" '/^teacher: step 500\//{a=$(NF-1)} /^teacher: step 1000\//{b=$(NF-1)} END {
    step = b > a ? (b - a) / 500 : 0.15; n = int(s / (1.25 * step) / 4) * 4; print n < 1200 ? 1200 : n > 8000 ? 8000 : n}' "$out/teacher-detail-$detail.log")
  say "teacher: $steps steps, detail $detail"
  sed -e "s/\"steps\": 4000, \"batch\": 3072/\"steps\": $steps, \"batch\": 3072/" -e "s/\"detail_weight\": 2/\"detail_weight\": $detail/" \
    -e "s/\"look_steps\": 1000/\"look_steps\": $((steps / 2))/" "$config" > "$work/config.json"
  cp "$work/config.json" "$out/"
  for p in transformer text_encoder text_encoder_2; do rm -rf "$model/$p" && cp -r "$work/detail-$detail/$p" "$model/"; done
  "$lab" train --out "$model" --config "$work/config.json" --device $all --threads $((cores - 8)) --stage teacher > "$out/teacher.log" 2>&1
  say "teacher: $(tail -2 "$out/teacher.log" | head -1)" ;;
guidance)
  cp "$model/.training/look.json" "$model/.training/look.png" "$out/"
  train guidance 0 --out "$model" --config "$work/config.json" --stage guidance
  CUDA_VISIBLE_DEVICES=3 "$lab" look --model "$model" --out "$out/look-guided" --subjects 200 --device cuda > "$out/look-guided.log" 2>&1 &
  # Grids are drawn on all GPUs and kept, so that each student finds them. The time is up when they are there: students begin in copies of the folder.
  "$lab" train --out "$model" --config "$work/config.json" --device $all --threads $((cores / 2)) --minutes "${GRID_MINUTES:-1.2}" --stage student \
    > "$out/grids.log" 2>&1
  wait
  say "grids: $(tail -1 "$out/grids.log")" ;;
students)
  i=0
  for one in ${STUDENTS:-64:0 64:1 96:0 96:1}; do
    ( name=${one%:*}-${one#*:} copy=$work/student-${one%:*}-${one#*:}
      cp -r "$model" "$copy" && rm -rf "$copy/.training/student" "$copy/.training/student.lock"
      sed -e "s/\"rank\": [0-9]*, \"condition_start\": [0-9]*/\"rank\": ${one%:*}, \"condition_start\": ${one#*:}/" \
        -e "s/\"grids\": 24000, \"steps\": [0-9]*/\"grids\": 24000, \"steps\": ${STUDENT_STEPS:-3000}/" "$work/config.json" > "$work/student-$name.json"
      train "student-$name" $i --out "$copy" --config "$work/student-$name.json" --stage student
      mkdir -p "$out/student-$name" && cp "$copy/dsd"/*.safetensors "$copy/.training/student.png" "$out/student-$name/"
      CUDA_VISIBLE_DEVICES=$i "$lab" measure --model "$copy" --lora "$copy/dsd/pytorch_lora_weights.safetensors" \
        --subjects 50 --device cuda --out "$out/student-$name/measure" > "$out/student-$name/measure.log" 2>&1
      say "student $name: $(tail -1 "$out/student-$name/measure.log")" ) &
    i=$((i + 1))
  done
  wait ;;
esac
