using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>Fills a module's parameters and buffers from a source of weights.</summary>
public static class WeightLoader
{
    private const long BufferBytes = 16 << 20;

    /// <summary>
    /// Copies every tensor into the parameter or buffer of the same name, cast to that one's element type and device. Nothing is
    /// copied unless everything fits.
    /// </summary>
    /// <param name="module">The module to fill. Its attribute names are the checkpoint's keys.</param>
    /// <param name="source">The weights.</param>
    /// <param name="ignore">Names in the source that need no place in the module; null for none.</param>
    /// <param name="rename">From a name in the source to the module's name for it; null where they are the same.</param>
    /// <param name="optional">Parameters that may be missing, but only all of them: they are zero then. Null for none.</param>
    /// <exception cref="WeightsException">Lists all missing, unexpected and ill-fitting tensors at once.</exception>
    public static void Load(
        nn.Module module, WeightSource source, Func<string, bool>? ignore = null, Func<string, string>? rename = null, Func<string, bool>? optional = null) =>
        Load(module, source, ignore, rename, filled: null, optional);

    /// <summary>The same, which tells of each parameter or buffer that is filled.</summary>
    internal static void Load(
        nn.Module module, WeightSource source, Func<string, bool>? ignore, Func<string, string>? rename, Action<string>? filled, Func<string, bool>? optional)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(source);
        LoadPieces(module, source, ignore, (name, entry) => [new WeightPiece(rename?.Invoke(name) ?? name, 0, Rows(entry.Shape), 0)], filled, optional);
    }

    /// <summary>A network whose parameters no dispose scope frees: what is loaded inside a scope outlives it.</summary>
    public static T Kept<T>(T module)
        where T : nn.Module
    {
        foreach (TorchSharp.Modules.Parameter parameter in module.parameters())
        {
            parameter.DetachFromDisposeScope();
        }
        return module;
    }

    /// <summary>
    /// The same where a tensor's rows may belong to several parameters, or in another order. <paramref name="filled"/> is called with the name of
    /// each parameter or buffer once it is filled, in the module's order. The parameters that are <paramref name="optional"/> may be missing, but
    /// only all of them: they are zero then.
    /// </summary>
    internal static void LoadPieces(
        nn.Module module,
        WeightSource source,
        Func<string, bool>? ignore,
        Func<string, TensorEntry, IReadOnlyList<WeightPiece>> pieces,
        Action<string>? filled = null,
        Func<string, bool>? optional = null)
    {
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> places = module.state_dict();
        Dictionary<string, List<(string Source, WeightPiece Piece)>> given = [];
        List<string> unexpected = [];
        List<string> misfits = [];
        foreach (string name in source.Names.Where(n => ignore?.Invoke(n) != true))
        {
            TensorEntry entry = source.Entry(name);
            foreach (WeightPiece piece in pieces(name, entry))
            {
                if (!places.TryGetValue(piece.Name, out Tensor? place))
                {
                    unexpected.Add($"{name} {entry}");
                    continue;
                }
                if (!given.TryGetValue(piece.Name, out List<(string Source, WeightPiece Piece)>? others))
                {
                    given.Add(piece.Name, others = []);
                }
                if (others.Any(o => o.Piece.To < piece.To + piece.Rows && piece.To < o.Piece.To + o.Piece.Rows))
                {
                    misfits.Add($"{name}: a second tensor for {piece.Name}, besides {others[0].Source}");
                    continue;
                }
                others.Add((name, piece));
                bool whole = piece.Rows == Rows(entry.Shape) && piece.To == 0;
                if (whole ? !place.shape.AsSpan().SequenceEqual(piece.ShapeOf(entry)) : !IsPart(piece, entry, place))
                {
                    misfits.Add($"{name}: expected [{string.Join(", ", place.shape)}]{(whole ? "" : $" for {piece.Name}")}, found {entry}");
                }
                else if (DTypes.Scalar(entry.DType) is not { } type || DTypes.IsFloating(type) != DTypes.IsFloating(place.dtype))
                {
                    misfits.Add($"{name}: expected numbers that fit {place.dtype}, found {entry}");
                }
            }
        }
        string[] absent = optional is not null && !given.Keys.Any(optional) ? [.. places.Keys.Where(optional)] : [];
        // Rows that no tensor gives count as missing; those that do not fit are named already.
        bool IsMissing(string name, Tensor place) => !given.TryGetValue(name, out List<(string Source, WeightPiece Piece)>? own)
            || (misfits.Count == 0 && own.Sum(o => o.Piece.Rows) != Rows(place.shape));
        string[] missing =
        [
            .. places.Where(p => !absent.Contains(p.Key) && IsMissing(p.Key, p.Value))
                .Select(p => $"{p.Key} [{string.Join(", ", p.Value.shape)}]"),
        ];
        if (missing.Length + unexpected.Count + misfits.Count > 0)
        {
            throw new WeightsException(
                source.Path,
                $"Weights '{source.Path}' do not fit {module.GetName()}: {missing.Length} missing, {unexpected.Count} unexpected, {misfits.Count} ill-fitting."
                    + List("Missing", missing) + List("Unexpected", unexpected) + List("Ill-fitting", misfits)
                    + " Check that the config belongs to these weights.");
        }
        // A network of shapes alone holds no numbers: that everything fits is all that was asked.
        if (places.Count > 0 && places.Values.All(p => p.device_type == DeviceType.META))
        {
            return;
        }
        foreach ((string own, Tensor place) in places)
        {
            if (absent.Contains(own))
            {
                using DisposeScope scope = NewDisposeScope();
                place.zero_();
            }
            else
            {
                given[own].ForEach(g => Copy(source, g.Source, g.Piece, place));
            }
            filled?.Invoke(own);
        }
    }

    private static long Rows(ReadOnlySpan<long> shape) => shape.Length > 0 ? shape[0] : 1;

    private static bool IsPart(WeightPiece piece, TensorEntry entry, Tensor place) =>
        place.shape.Length > 0 && place.shape.AsSpan(1).SequenceEqual(piece.ShapeOf(entry).AsSpan(1)) && piece.To + piece.Rows <= place.shape[0];

    private static void Copy(WeightSource source, string name, WeightPiece piece, Tensor place)
    {
        TensorEntry entry = source.Entry(name);
        SafetensorsFile file = source.File(name);
        ScalarType type = DTypes.Scalar(entry.DType)!.Value;
        bool whole = piece.To == 0 && piece.Rows == Rows(entry.Shape);
        using Tensor? scale = source.Scale(name);
        if (whole && scale is null && place.device_type == DeviceType.CPU && place.is_contiguous() && type == place.dtype)
        {
            file.CopyTo(name, place);
            return;
        }
        if (entry.Shape.Length == 0)
        {
            using Tensor scalar = source.Read(name);
            place.copy_(scalar);
            return;
        }
        // Through a small buffer, so that a tensor never lies on the host a second time on its way to another type or device.
        using Tensor into = place.narrow(0, piece.To, piece.Rows);
        long rowBytes = Math.Max(1, entry.ByteLength / Math.Max(1, entry.Shape[0]));
        long most = Math.Clamp(BufferBytes / rowBytes, 1, Math.Max(1, piece.Rows));
        using Tensor buffer = empty([most, .. piece.ShapeOf(entry)[1..]], type, device: CPU);
        for (long row = 0; row < piece.Rows; row += most)
        {
            long count = Math.Min(most, piece.Rows - row);
            using Tensor part = buffer.narrow(0, 0, count);
            file.CopyTo(name, part, (piece.From + row) * rowBytes);
            using Tensor rows = into.narrow(0, row, count);
            if (scale is null)
            {
                rows.copy_(part);
                continue;
            }
            // In single precision, so that the product is rounded once, to the type that is loaded.
            using Tensor factor = scale.shape[0] == 1 ? scale.alias() : scale.narrow(0, piece.From + row, count);
            using Tensor shaped = factor.view([factor.shape[0], .. Enumerable.Repeat(1L, (int)part.dim() - 1)]);
            using Tensor wide = part.to(ScalarType.Float32);
            using Tensor scaled = wide * shaped;
            rows.copy_(scaled);
        }
    }

    private static string List(string title, IReadOnlyCollection<string> items) =>
        items.Count == 0 ? "" : $" {title}: {WeightsException.Some(items, "; ")}.";
}
