using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dsd.Common.Files;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>
/// A folder of states of one run, <c>checkpoint-STEP.safetensors</c> each. A file appears whole or not at all, ends in the SHA-256 of all that stands before
/// it, and the last few are kept: one that was damaged later is passed over for the one before.
/// </summary>
/// <param name="folder">The folder, made when the first state is written.</param>
/// <param name="keep">How many states are kept, at least 1.</param>
/// <param name="warn">Is told of damaged files. Null is nobody.</param>
internal sealed partial class TrainingCheckpoints(string folder, int keep, Action<string>? warn)
{
    private const string Checksum = "sha256";
    private const int ChecksumLength = SHA256.HashSizeInBytes;

    /// <summary>Writes the state of a step, and removes those that are no longer kept.</summary>
    public void Save(long step, IEnumerable<KeyValuePair<string, Tensor>> state, IReadOnlyDictionary<string, string> metadata)
    {
        string file = Path.Combine(folder, $"checkpoint-{step.ToString(CultureInfo.InvariantCulture)}.safetensors");
        using Tensor place = zeros(ChecksumLength, dtype: ScalarType.Byte);
        AtomicFile.Write(file, stream =>
        {
            // The last tensor is the last in the file: its bytes are filled in when the others are known.
            using HashingStream hashing = new(stream);
            SafetensorsWriter.Write(hashing, file, state.Append(KeyValuePair.Create(Checksum, place)), metadata);
            byte[] hash = hashing.TakeHash();
            stream.Seek(-ChecksumLength, SeekOrigin.End);
            stream.Write(hash);
        });
        // Files of later steps are of no use: the run went on from an earlier one, since they were damaged.
        foreach ((long _, string old) in Found().Where(f => f.Step <= step).Skip(keep).Concat(Found().Where(f => f.Step > step)))
        {
            File.Delete(old);
        }
    }

    /// <summary>The newest state that is whole, for the caller to dispose; null where there is none at all.</summary>
    /// <exception cref="WeightsException">There are states, and every one is damaged.</exception>
    public SafetensorsFile? OpenNewest()
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }
        AtomicFile.RemoveHalfWritten(folder, "checkpoint-*.safetensors");
        List<string> damaged = [];
        foreach ((long _, string file) in Found())
        {
            if (IsWhole(file))
            {
                if (damaged.Count > 0)
                {
                    warn?.Invoke($"Damaged and passed over: {string.Join(", ", damaged)}. The run goes on from '{file}'.");
                }
                return SafetensorsFile.Open(file);
            }
            damaged.Add($"'{file}'");
        }
        return damaged.Count == 0 ? null : throw new WeightsException(
            folder, "a checkpoint that is whole", $"damaged ones alone: {string.Join(", ", damaged)}. Bring one back, or delete them to begin anew");
    }

    /// <summary>The states that are there, the newest first.</summary>
    private List<(long Step, string File)> Found() =>
    [
        .. Directory.EnumerateFiles(folder)
            .Select(file => (Match: Name().Match(Path.GetFileName(file)), File: file))
            .Where(f => f.Match.Success)
            .Select(f => (long.Parse(f.Match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture), f.File))
            .OrderByDescending(f => f.Item1),
    ];

    private static bool IsWhole(string file)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length <= ChecksumLength)
        {
            return false;
        }
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        for (long left = stream.Length - ChecksumLength; left > 0;)
        {
            int some = (int)Math.Min(buffer.Length, left);
            stream.ReadExactly(buffer, 0, some);
            hash.AppendData(buffer, 0, some);
            left -= some;
        }
        byte[] written = new byte[ChecksumLength];
        stream.ReadExactly(written);
        hash.AppendData(new byte[ChecksumLength]);
        return hash.GetHashAndReset().AsSpan().SequenceEqual(written);
    }

    [GeneratedRegex(@"\Acheckpoint-([0-9]{1,18})\.safetensors\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
