using System.Diagnostics;
using System.Globalization;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// ONNX Runtime's sessions of one model folder, each opened when it is first used. Calls from several threads at once share them. How long they stay open
/// is <see cref="OnnxRuntimeOptions.Memory"/>'s affair.
/// </summary>
public sealed class OnnxSessions : IDisposable
{
    /// <summary>The component whose runs are steps.</summary>
    internal const string Transformer = "transformer";

    private readonly Dictionary<string, Opened> _sessions = [];
    private readonly Lock _opening = new();
    private readonly Lock _stepping = new();
    private readonly OnnxModelFolder _folder;
    private readonly OnnxRuntimeOptions _options;
    private readonly IProviderAppender _appender;
    private readonly List<OnnxPlacement> _placements = [];
    private ExecutionProviders? _providers;
    private readonly Dictionary<string, int> _runs = [];
    private string? _lastUsed;
    private TensorPlace? _place;
    private volatile bool _hasArenas = true;
    private bool _disposed;

    /// <summary>Opens nothing yet.</summary>
    public OnnxSessions(OnnxModelFolder folder, OnnxRuntimeOptions options)
        : this(folder, options, ProviderAppender.Real)
    {
    }

    internal OnnxSessions(OnnxModelFolder folder, OnnxRuntimeOptions options, IProviderAppender appender)
    {
        (_folder, _options, _appender) = (folder, options, appender);
        Prompts = new PromptCache(options.PromptCacheBytes);
    }

    /// <summary>Where the nodes of the components run, of each that was opened so far, in that order.</summary>
    public IReadOnlyList<OnnxPlacement> Placements
    {
        get
        {
            lock (_opening)
            {
                return [.. _placements];
            }
        }
    }

    /// <summary>Where tensors lie between two runs: in the memory of what computes.</summary>
    internal TensorPlace Place
    {
        get
        {
            lock (_opening)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                _providers ??= ExecutionProviders.Choose(_options, _appender);
                return _place ??= _providers.Chosen.Contains(OnnxProvider.Cuda)
                    ? new DevicePlace(_providers.CreateOptions, "Cuda", _options.Device)
                    : new HostPlace();
            }
        }

        // For tests, before the first use.
        set => _place = value;
    }

    /// <summary>Whether a step is recorded on the device and played again. Settable for tests.</summary>
    internal bool RecordsSteps
    {
        get
        {
            lock (_opening)
            {
                _providers ??= ExecutionProviders.Choose(_options, _appender);
                return field || _options.CudaGraphs && _providers.Chosen.Contains(OnnxProvider.Cuda);
            }
        }
        set;
    }

    /// <summary>What the text encoders gave for prompts.</summary>
    internal PromptCache Prompts { get; }

    /// <summary>The components that are open now.</summary>
    internal IReadOnlyCollection<string> OpenComponents
    {
        get
        {
            lock (_opening)
            {
                return [.. _sessions.Keys];
            }
        }
    }

    /// <summary>How often a component was run.</summary>
    internal int RunsOf(string component)
    {
        lock (_opening)
        {
            return _runs.GetValueOrDefault(component);
        }
    }

    /// <summary>The most components that were open at once.</summary>
    internal int MostOpen { get; private set; }

    /// <summary>Runs a component; the tensors that come out are the caller's.</summary>
    /// <param name="component">The component's folder.</param>
    /// <param name="inputs">Values by input name; an input that the model lacks is refused.</param>
    /// <param name="cancellationToken">Ends the run between two of its nodes, or the opening of the session. The session can be used again.</param>
    /// <param name="preparesSteps">
    /// Whether the component runs once before the steps of a generation, so that <see cref="OnnxMemoryMode.ModulationClosed"/> closes it. Default false.
    /// </param>
    /// <exception cref="InvalidOperationException">ONNX Runtime could not run the model; the message names its file and the reason, such as too
    /// little memory.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IReadOnlyList<OnnxTensor> Run(
        string component, IReadOnlyList<(string Name, OnnxTensor Value)> inputs, CancellationToken cancellationToken = default,
        bool preparesSteps = false) =>
        Run(component, cancellationToken, (session, run) =>
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(
                run,
                [.. inputs.Select(i => i.Name)],
                [.. inputs.Select(i => i.Value.Value)],
                session.OutputNames);
            return outputs.Select(OnnxTensor.CopyOf).ToArray();
        }, preparesSteps, givesMemoryBack: true);

    /// <summary>Closes the sessions; those that run, when their runs end.</summary>
    public void Dispose()
    {
        lock (_opening)
        {
            if (_disposed)
            {
                return;
            }
            _disposed = true;
            CloseAll();
        }
    }

    /// <summary>Uses a component's session for one run.</summary>
    /// <param name="component">The component's folder.</param>
    /// <param name="cancellationToken">Ends the run between two of its nodes.</param>
    /// <param name="work">The run, with the options that it must be given.</param>
    /// <param name="preparesSteps">Whether the component runs once before the steps of a generation.</param>
    /// <param name="givesMemoryBack">
    /// Whether another component runs next. Then the GPU's memory in which this one computed is given back: each session has an arena of its own, and only one
    /// runs at a time.
    /// </param>
    internal T Run<T>(
        string component, CancellationToken cancellationToken, Func<InferenceSession, RunOptions, T> work, bool preparesSteps = false,
        bool givesMemoryBack = false)
    {
        using Lease lease = Use(component, cancellationToken, preparesSteps);
        cancellationToken.ThrowIfCancellationRequested();
        using RunOptions run = new();
        givesMemoryBack &= _hasArenas && _providers!.Chosen.Contains(OnnxProvider.Cuda);
        if (givesMemoryBack)
        {
            run.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", $"gpu:{_options.Device}");
        }
        // Disposed before the options: it waits for a cancellation that is under way on another thread.
        using CancellationTokenRegistration stop = cancellationToken.Register(() => run.Terminate = true);
        try
        {
            T result = work(lease.Session, run);
            CountRun(component);
            return result;
        }
        catch (OnnxRuntimeException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The run of '{_folder.ModelFile(component)}' was cancelled.", e, cancellationToken);
        }
        catch (OnnxRuntimeException e) when (givesMemoryBack && e.Message.Contains("arena based allocator", StringComparison.Ordinal))
        {
            // Said before anything is computed: a provider from a library of its own may do without arenas.
            _hasArenas = false;
            return Run(component, cancellationToken, work, preparesSteps);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"ONNX Runtime cannot run '{_folder.ModelFile(component)}': {e.Message}", e);
        }
    }

    /// <summary>Runs the transformer for a step.</summary>
    /// <param name="recording">The number under which the step is recorded at its first run, and played afterwards; null where it is not.</param>
    /// <param name="isLast">Whether another component runs next.</param>
    /// <param name="cancellationToken">Ends the run between two of its nodes, but for a step that is played.</param>
    /// <param name="work">The run, with the options that it must be given.</param>
    internal void RunStep(int? recording, bool isLast, CancellationToken cancellationToken, Action<InferenceSession, RunOptions> work)
    {
        bool records = RecordsSteps;
        Run(Transformer, cancellationToken, (session, run) =>
        {
            if (!records)
            {
                work(session, run);
                return true;
            }
            // -1 is a run that is not recorded.
            run.AddRunConfigEntry("gpu_graph_id", (recording ?? -1).ToString(CultureInfo.InvariantCulture));
            // A session that records runs for one caller at a time.
            lock (_stepping)
            {
                work(session, run);
            }
            return true;
        }, givesMemoryBack: isLast && !records);
    }

    /// <summary>A component's session, opened if it is not. It stays open until the lease is disposed, at least.</summary>
    /// <param name="component">The component's folder.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <param name="preparesSteps">Whether the component runs once before the steps of a generation.</param>
    /// <exception cref="WeightsException">ONNX Runtime cannot open the model.</exception>
    /// <exception cref="InvalidOperationException">There is too little memory for it.</exception>
    internal Lease Use(string component, CancellationToken cancellationToken = default, bool preparesSteps = false)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _lastUsed = component;
            CloseIdle();
            if (!_sessions.TryGetValue(component, out Opened? opened))
            {
                opened = new Opened(Create(component, cancellationToken));
                _sessions.Add(component, opened);
                MostOpen = Math.Max(MostOpen, _sessions.Count);
            }
            opened.Users++;
            opened.PreparesSteps |= preparesSteps;
            return new Lease(this, opened);
        }
    }

    private void CountRun(string component)
    {
        lock (_opening)
        {
            _runs[component] = _runs.GetValueOrDefault(component) + 1;
        }
    }

    private void GiveBack(Opened opened)
    {
        lock (_opening)
        {
            opened.Users--;
            if (_disposed)
            {
                CloseAll();
            }
            else
            {
                CloseIdle();
            }
        }
    }

    private void CloseAll()
    {
        CloseUnused(_ => true);
        if (_sessions.Count == 0)
        {
            // Not before: what is still in use computes there.
            _place?.Dispose();
        }
    }

    private void CloseIdle()
    {
        switch (_options.Memory)
        {
            case OnnxMemoryMode.IdleClosed:
                CloseUnused(component => component != _lastUsed);
                break;
            case OnnxMemoryMode.ModulationClosed:
                CloseUnused(component => _sessions[component].PreparesSteps);
                break;
        }
    }

    private void CloseUnused(Func<string, bool> isIdle)
    {
        foreach ((string component, Opened opened) in _sessions.Where(s => s.Value.Users == 0 && isIdle(s.Key)).ToArray())
        {
            _sessions.Remove(component);
            opened.Session.Dispose();
        }
    }

    private InferenceSession Create(string component, CancellationToken cancellationToken)
    {
        string file = _folder.ModelFile(component);
        _providers ??= ExecutionProviders.Choose(_options, _appender);
        RequireWithinLimit(component, file);
        using SessionOptions settings = _providers.CreateOptions(
            recordsRuns: _options.CudaGraphs && component == Transformer, allowTf32: _options.AllowTf32 ?? _folder.Precision != ExportPrecision.Float32);
        PlacementReader.Record(settings);
        Stopwatch watch = Stopwatch.StartNew();
        InferenceSession session = Create(file, settings, _folder, cancellationToken);
        try
        {
            NotePlacement(component, file, session, _providers.Chosen, watch.Elapsed);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    // ONNX Runtime counts weights, but looks at its limit only when a run asks for memory, and finds none there where weights alone are beyond it.
    private void RequireWithinLimit(string component, string file)
    {
        long weights = _folder.Files.Where(f => f.Key.StartsWith($"{component}/", StringComparison.Ordinal)).Sum(f => f.Value);
        if (_options.MemoryBytes is { } most && weights >= most && _providers!.Chosen.Contains(OnnxProvider.Cuda))
        {
            throw new InvalidOperationException(
                $"Option {nameof(OnnxRuntimeOptions.MemoryBytes)} is {most}, but '{file}' has {weights} bytes, and needs memory to run besides. Raise the "
                    + "option, or export the model in a smaller precision.");
        }
    }

    private static InferenceSession Create(string file, SessionOptions settings, OnnxModelFolder folder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using CancellationTokenRegistration stop = cancellationToken.Register(() => settings.SetLoadCancellationFlag(true));
        try
        {
            return new InferenceSession(file, settings);
        }
        catch (OnnxRuntimeException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The opening of '{file}' was cancelled.", e, cancellationToken);
        }
        catch (OnnxRuntimeException e) when (IsLackOfMemory(e.Message))
        {
            throw new InvalidOperationException(
                $"There is too little memory to open '{file}': {e.Message} Close other programs, set the option {nameof(OnnxRuntimeOptions.Memory)} to "
                    + $"{nameof(OnnxMemoryMode.IdleClosed)}, or raise {nameof(OnnxRuntimeOptions.MemoryBytes)} where it is set.",
                e);
        }
        catch (OnnxRuntimeException e) when (e.Message.Contains("NotImplemented", StringComparison.Ordinal))
        {
            throw new WeightsException(
                file, "operators that the provider has",
                $"an export in {folder.Precision} for {folder.Graphs} graphs, of which ONNX Runtime says '{e.Message}'. Draw with CUDA, or export the model "
                    + $"in {nameof(ExportPrecision.Float32)} for {nameof(GraphTarget.Portable)} graphs", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new WeightsException(file, "a model that ONNX Runtime can open", $"one of which it says '{e.Message}'. Export the model again", e);
        }
    }

    // What ONNX Runtime's arena, CUDA and the C++ library say of it.
    private static bool IsLackOfMemory(string message) =>
        new[] { "Failed to allocate memory", "Available memory of", "out of memory", "bad allocation", "bad_alloc" }
            .Any(words => message.Contains(words, StringComparison.OrdinalIgnoreCase));

    private void NotePlacement(string component, string file, InferenceSession session, IReadOnlyList<OnnxProvider> providers, TimeSpan opening)
    {
        if (_placements.Any(p => p.Component == component))
        {
            return;
        }
        OnnxPlacement placement = OnnxPlacement.Of(component, providers, PlacementReader.Read(session), () => ShapeArithmetic.NodesOf(file), opening);
        _placements.Add(placement);
        if (placement.Warning() is { } warning)
        {
            _options.Warn?.Invoke(warning);
        }
    }

    /// <summary>An open session, which somebody uses until this is disposed.</summary>
    internal sealed class Lease(OnnxSessions owner, Opened opened) : IDisposable
    {
        private Opened? _opened = opened;

        /// <summary>The session.</summary>
        public InferenceSession Session => (_opened ?? throw new ObjectDisposedException(nameof(Lease))).Session;

        /// <summary>Lets go of the session, which may then be closed.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _opened, null) is { } opened)
            {
                owner.GiveBack(opened);
            }
        }
    }

    /// <summary>A session and how many use it now.</summary>
    internal sealed class Opened(InferenceSession session)
    {
        public InferenceSession Session => session;

        public int Users { get; set; }

        /// <summary>Whether it runs once before the steps of a generation.</summary>
        public bool PreparesSteps { get; set; }
    }
}
