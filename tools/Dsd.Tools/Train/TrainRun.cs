using System.Text;
using System.Text.Json.Nodes;
using Dsd.Common.Files;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Parallel;
using Dsd.Models.Training.Planning;
using Dsd.Tools.Curate;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tools.Train;

/// <summary>A run of training in its folder.</summary>
/// <param name="terminal">Where it talks.</param>
/// <param name="request">What was asked for.</param>
internal sealed class TrainRun(Terminal terminal, TrainRequest request)
{
    private readonly TrainFolder _folder = new(request.Out!);

    /// <summary>Trains, or goes on, or says that there is nothing to do. All that can be checked is checked before a pair is read.</summary>
    public void Run(CancellationToken cancel)
    {
        Device device = request.Base.Device ?? CPU;
        using TrainingGroup? group = TrainingGroup.FromEnvironment(device);
        bool first = group is null or { Rank: 0 };
        if (group is not null && device.type == DeviceType.CUDA && device.index < 0)
        {
            request = request with { Base = request.Base with { Device = new Device(DeviceType.CUDA, group.LocalRank) } };
        }
        if (first)
        {
            _folder.Check();
        }
        if (request.Training.CacheFolder is { } cache)
        {
            WritablePlace.RequireFolder(cache);
        }
        string model = ModelPresets.Resolve(request.Model);
        (TrainingPlan chosen, IReadOnlyList<TrainingPlan> all) = TrainPlan.Of(model, request, first ? PlanSeconds.Chosen : PlanSeconds.None);
        JsonObject record = TrainRecord.Of(request, chosen, all);
        // The others look at the folder before the first one begins to write in it.
        bool finished = TrainRecord.IsFinished(_folder, record);
        group?.Barrier();
        if (finished)
        {
            if (first)
            {
                string where = Printable.Line(_folder.Root);
                terminal.Error.WriteLine($"training: the run in '{where}' is finished, all {request.Training.Steps} steps. Nothing was done.");
                terminal.Output.WriteLine(_folder.Adapter);
            }
            return;
        }
        PairDataset[] datasets = [.. request.Pairs.Select(path => PairDataset.Open(path, request.Columns, cancel))];
        PairDataset? heldOut = request.Validate is { } path
            ? PairDataset.Open(path, request.Columns with { Split = request.ValidateSplit }, cancel)
            : null;
        Picture? reference = request.SampleReference is { } file ? Reference(file) : null;
        if (first)
        {
            terminal.Error.WriteLine($"training: {chosen}{(group is null ? "" : $", in {group.WorldSize} processes")}");
        }
        using DiffusionModel loaded = TrainingModel.Load(model, chosen, request.Base);
        CheckAdapter(loaded);
        if (first)
        {
            Train(loaded, group, record, chosen, datasets, heldOut, reference, cancel);
            return;
        }
        // The first one reports, keeps the state and writes the adapter.
        LoraTrainer trainer = new(loaded, request.Training) { Group = group };
        trainer.TrainEncoded(new PairSource(datasets, progress: null).Read(cancel), cancellationToken: cancel).Dispose();
    }

    private void Train(
        DiffusionModel model, TrainingGroup? group, JsonObject record, TrainingPlan plan, PairDataset[] datasets, PairDataset? heldOut, Picture? reference,
        CancellationToken cancel)
    {
        ProgressLine<PairsRead> reading = new(terminal, TrainText.Of);
        ProgressLine<LogEntry> line = new(terminal, (entry, _) => TrainText.Of(entry, request.Training.Steps), firstAtOnce: true);
        PairSource pairs = new(datasets, reading);
        TrainSamples? samples = reference is null ? null : new TrainSamples(model, request, reference, _folder);
        LoraTrainer trainer = new(model, request.Training)
        {
            Group = group,
            Look = samples is null || request.SampleEvery is null ? null : (step, look) => Drawn(() => samples.Draw(step, look)),
            LookEvery = request.SampleEvery ?? 1,
            GoesOn = step => terminal.Error.WriteLine($"training: goes on from step {step}"),
        };
        Directory.CreateDirectory(_folder.Root);
        TrainRecord.Write(_folder, record, finishedSteps: null);
        using (TrainLog log = new(_folder, model.Network.Device, line))
        {
            _folder.RemoveLeftOver();
            LoraAdapter adapter;
            try
            {
                adapter = trainer.TrainEncoded(
                    Told(pairs, reading, cancel), heldOut is null ? null : new PairSource([heldOut], reading).Read(cancel), log, cancel);
            }
            catch (OperationCanceledException) when (_folder.HasState)
            {
                line.Close();
                terminal.Error.WriteLine("training: stopped, and its state is kept. The same command goes on from there.");
                throw;
            }
            using (adapter)
            {
                line.Close();
                adapter.Save(_folder.Adapter, names: request.Names);
                Finish(model, adapter, record, plan, samples, cancel);
            }
        }
        terminal.Output.WriteLine(_folder.Adapter);
        terminal.Output.WriteLine(_folder.Report);
    }

    private void Finish(DiffusionModel model, LoraAdapter adapter, JsonObject record, TrainingPlan plan, TrainSamples? samples, CancellationToken cancel)
    {
        if (samples is not null)
        {
            using LoraAttachment attached = adapter.Attach(model.Network);
            Drawn(() => samples.DrawAnew(request.Training.Steps, cancel));
        }
        string page = TrainReport.Write(record, plan, TrainLog.Read(_folder.Log), _folder.Sheets);
        AtomicFile.Write(_folder.Report, stream => stream.Write(Encoding.UTF8.GetBytes(page)));
        TrainRecord.Write(_folder, record, request.Training.Steps);
    }

    private void Drawn(Action draw) => terminal.Track("drawing", _ => draw());

    /// <summary>The pairs, and a line when all are read.</summary>
    private IEnumerable<EncodedPair> Told(PairSource pairs, ProgressLine<PairsRead> reading, CancellationToken cancel)
    {
        foreach (EncodedPair pair in pairs.Read(cancel))
        {
            yield return pair;
        }
        reading.Close();
        if (pairs.LeftOut > 0)
        {
            terminal.Warn($"{pairs.LeftOut} rows of '--pairs' are left out: their dataset says that they are not kept.");
        }
        if (pairs.Further > 0)
        {
            terminal.Warn($"{pairs.Further} rows of '--pairs' have several references: training takes the first of each, and leaves the others alone.");
        }
    }

    /// <summary>Refuses an adapter to continue from that does not fit, before hours of encoding. Of a new one the plan has counted the numbers.</summary>
    private void CheckAdapter(DiffusionModel model)
    {
        if (request.Training.InitialAdapterFile is { } file)
        {
            using LoraAdapter adapter = LoraAdapter.Load(file);
            adapter.Attach(model.Network).Dispose();
        }
    }

    private static Picture Reference(string file)
    {
        Picture picture = Picture.Load(file);
        int least = DsdRequest.LeastReferenceSide;
        return picture.Width >= least && picture.Height >= least
            ? picture
            : throw new PictureException(file, $"a reference of at least {least} pixels a side", $"{picture.Width} × {picture.Height}");
    }
}
