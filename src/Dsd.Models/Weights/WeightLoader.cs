using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>Fills a module's parameters and buffers from a source of weights.</summary>
public static class WeightLoader
{
    private const int Listed = 20;

    /// <summary>
    /// Copies every tensor into the parameter or buffer of the same name, cast to that one's element type and device. Nothing is
    /// copied unless everything fits.
    /// </summary>
    /// <param name="module">The module to fill. Its attribute names are the checkpoint's keys.</param>
    /// <param name="source">The weights.</param>
    /// <param name="ignore">Names in the source that need no place in the module; null for none.</param>
    /// <param name="rename">From a name in the source to the module's name for it; null where they are the same.</param>
    /// <exception cref="WeightsException">Lists all missing, unexpected and ill-fitting tensors at once.</exception>
    public static void Load(nn.Module module, WeightSource source, Func<string, bool>? ignore = null, Func<string, string>? rename = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(source);
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> places = module.state_dict();
        Dictionary<string, string> names = [];
        List<string> unexpected = [];
        List<string> misfits = [];
        foreach (string name in source.Names.Where(n => ignore?.Invoke(n) != true))
        {
            string own = rename?.Invoke(name) ?? name;
            TensorEntry entry = source.Entry(name);
            if (!places.TryGetValue(own, out Tensor? place))
            {
                unexpected.Add($"{name} {entry}");
            }
            else if (!names.TryAdd(own, name))
            {
                misfits.Add($"{name}: a second tensor for {own}, besides {names[own]}");
            }
            else if (!place.shape.AsSpan().SequenceEqual(entry.Shape))
            {
                misfits.Add($"{name}: expected [{string.Join(", ", place.shape)}], found {entry}");
            }
            else if (DTypes.Scalar(entry.DType) is not { } type || DTypes.IsFloating(type) != DTypes.IsFloating(place.dtype))
            {
                misfits.Add($"{name}: expected numbers that fit {place.dtype}, found {entry}");
            }
        }
        string[] missing = [.. places.Where(p => !names.ContainsKey(p.Key)).Select(p => $"{p.Key} [{string.Join(", ", p.Value.shape)}]")];
        if (missing.Length + unexpected.Count + misfits.Count > 0)
        {
            throw new WeightsException(
                source.Path,
                $"Weights '{source.Path}' do not fit {module.GetName()}: {missing.Length} missing, {unexpected.Count} unexpected, {misfits.Count} ill-fitting."
                    + List("Missing", missing) + List("Unexpected", unexpected) + List("Ill-fitting", misfits)
                    + " Check that the config belongs to these weights.");
        }
        foreach ((string own, string name) in names)
        {
            Copy(source, name, places[own]);
        }
    }

    private static void Copy(WeightSource source, string name, Tensor place)
    {
        if (place.device_type == DeviceType.CPU && place.is_contiguous() && DTypes.Scalar(source.Entry(name).DType) == place.dtype)
        {
            source.File(name).CopyTo(name, place);
            return;
        }
        using Tensor read = source.Read(name);
        place.copy_(read);
    }

    private static string List(string title, IReadOnlyCollection<string> items) =>
        items.Count == 0 ? "" : $" {title}: {string.Join("; ", items.Take(Listed))}{(items.Count > Listed ? $"; and {items.Count - Listed} more" : "")}.";
}
