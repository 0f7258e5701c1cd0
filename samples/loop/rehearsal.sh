#!/usr/bin/env bash
# Rehearses the whole loop with random weights: from captions, over a judge that stands in for one over HTTP, to a picture that ONNX Runtime draws with the
# adapter just trained. A few steps each; the training is interrupted once, and the same command goes on.
#
#   samples/loop/rehearsal.sh --size dev --device cuda --work /scratch/rehearsal     # FLUX.1-dev's size: 75 GB on the disk, 37 GiB of a GPU
#   samples/loop/rehearsal.sh                                                        # the embedded model's shape, on the CPU
#
# For the GPU build with both: dotnet build -c Release tools/Dsd.Tools -p:DsdTorchCuda=true -p:DsdOnnxCuda=true
# Where the program lies elsewhere, name what starts it: DSD='dotnet /opt/dsd/dsd.dll' samples/loop/rehearsal.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
size=tiny device=cpu work=
while (($#)); do
  case $1 in
    --size) size=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    *) echo "unknown option '$1': known are --size tiny|dev, --device cpu|cuda, --work FOLDER" >&2; exit 2 ;;
  esac
done
case $size in tiny | dev) ;; *) echo "--size must be tiny or dev, but is '$size'" >&2; exit 2 ;; esac
work=${work:-$PWD/rehearsal-$size}
library=$here/../../tools/Dsd.Tools/bin/Release/net10.0/dsd.dll
read -ra dsd <<<"${DSD:-dotnet $library}"
if [[ -z ${DSD:-} && ! -f $library ]]; then
  echo "'$library' is not there: build tools/Dsd.Tools first" >&2
  exit 2
fi

mkdir -p "$work"
log=$work/log.txt
: >"$log"
say() { echo "$(date -u +%H:%M:%S) $*" | tee -a "$log"; }
fail() { say "FAILED: $*"; exit 1; }

if [[ ! -d $work/model ]]; then
  say "writing a model folder of size $size"
  "${dsd[@]}" bench model --size "$size" --out "$work/model" >>"$log" 2>&1
fi

# The stand-in judge answers on a free port of loopback until its standard input ends. Every second pair is the same subject.
rm -f "$work/judge.in"
mkfifo "$work/judge.in"
"${dsd[@]}" bench curation-server <"$work/judge.in" >"$work/judge.address" 2>>"$log" &
judge=$!
exec 3>"$work/judge.in"
trap 'exec 3>&-; wait $judge || true; rm -f "$work/judge.in"' EXIT
for ((i = 0; i < 300; i++)); do
  [[ -s $work/judge.address ]] && break
  sleep 0.2
done
[[ -s $work/judge.address ]] || fail "the judge did not start"
say "the judge answers at $(cat "$work/judge.address")"

if [[ $size == dev ]]; then
  grid=1024x512 frame=512x512 rank=16
else
  grid=256x128 frame=128x128 rank=4
fi
if [[ $device == cpu ]]; then format='precision: float32'; else format=$'precision: float16\n  provider: cuda'; fi

mkdir -p "$work/references"
cp "$here/references/star.png" "$work/references/"
printf '%s\n' 'a small yellow star with a red bow tie' 'a round purple monster with three eyes' >"$work/captions.txt"
echo '{"star": "this creature jumping in the snow"}' >"$work/prompts.json"
cat >"$work/chat.json" <<JSON
{
  "models": { "stand-in": { "address": "$(cat "$work/judge.address")", "model": "stand-in", "concurrency": 4 } },
  "judge": { "ask": ["stand-in"] }
}
JSON
cat >"$work/loop.yaml" <<YAML
out: results
model: model
device: $device
curate:
  captions: captions.txt
  task: character
  layout: 1x2
  chat: chat.json
  size: $grid
  steps: 4
  batch: 2
dataset: {}
train:
  size: $frame
  rank: $rank
  steps: 24
  batch: 1
  report-every: 1
  checkpoint-steps: 4
export:
  size: $frame
  $format
generate:
  out: \$out/generate/star.png
  image: references/star.png
  prompt: this creature jumping in the snow
  steps: 4
evaluate:
  metrics: cp,pf
  references: references
  prompts: prompts.json
  repeats: 1
YAML

say "what doctor says"
"${dsd[@]}" doctor --model "$work/model" --device "$device" --quick >>"$log" 2>&1 \
  || say "doctor has complaints, which stand in the log (random weights have another model's tokenizers)"
"${dsd[@]}" run "$work/loop.yaml" --dry-run >>"$log" 2>&1 || fail "the file was refused"

say "the first call, until the training has begun"
begun=$(date +%s)
"${dsd[@]}" run "$work/loop.yaml" --separate >>"$log" 2>&1 &
run=$!
until grep -q '^training: step' "$log"; do
  kill -0 $run 2>/dev/null || fail "the run ended before it trained"
  sleep 0.1
done
kill -TERM $run
code=0
wait $run || code=$?
[[ $code == 1 ]] || fail "an interrupted run must end with exit code 1, but ended with $code"
grep -q 'run: stopped in train' "$log" || fail "the training was not what was interrupted"
say "interrupted after $(($(date +%s) - begun)) s"

say "the second call, to the end"
begun=$(date +%s)
"${dsd[@]}" run "$work/loop.yaml" --separate --json >"$work/summary.json" 2>>"$log" || fail "the second call failed"
grep -q 'training: goes on from step' "$log" || fail "the training did not go on from its state"
[[ -s $work/results/generate/star.png ]] || fail "there is no picture"
say "done after $(($(date +%s) - begun)) s more; the stages' times:"
grep -E '^run: [a-z0-9-]+ took' "$log" | sed 's/^run: /  /'
say "picture: $work/results/generate/star.png, summary: $work/summary.json, log: $log"
