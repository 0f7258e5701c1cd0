using Dsd.Evaluation.Encoders;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Encoders;

/// <summary>The encoders of the reference outputs, exported once for all tests: by the names that the outputs have.</summary>
public sealed class ExportedEncoders : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, PictureEncoder> _opened = [];

    /// <summary>An encoder that ONNX Runtime runs.</summary>
    public PictureEncoder this[string model]
    {
        get
        {
            lock (_opened)
            {
                if (!_opened.TryGetValue(model, out PictureEncoder? encoder))
                {
                    string target = _folder.File(model);
                    EncoderExporter.Export(EvalFixtures.Path(model), target, Options(model));
                    encoder = PictureEncoder.Open(target);
                    _opened.Add(model, encoder);
                }
                return encoder;
            }
        }
    }

    /// <summary>CSD's files do not say how many heads there are.</summary>
    public static EncoderExportOptions Options(string model) => new() { Heads = model == "csd" ? EvalFixtures.CsdHeads : null };

    public void Dispose()
    {
        foreach (PictureEncoder encoder in _opened.Values)
        {
            encoder.Dispose();
        }
        _folder.Dispose();
    }
}
