using System.Globalization;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// The parts that tensors of a file may lie in. A location is a key into them and never becomes a path; part files are opened once each and closed
/// by the model.
/// </summary>
/// <param name="parts">The model's files.</param>
/// <param name="opened">Receives the handles that are opened.</param>
/// <param name="references">Receives the names of all parts, instead of opening any; null to open them.</param>
/// <remarks><see href="https://onnx.ai/onnx/repo-docs/ExternalData.html"/>. The optional checksum is not compared: that would read the weights.</remarks>
internal sealed class ExternalData(ModelParts parts, ICollection<IDisposable> opened, ISet<string>? references = null)
{
    private readonly Dictionary<string, SafeFileHandle> _handles = new(StringComparer.Ordinal);

    /// <summary>Names of the parts that were opened.</summary>
    public IReadOnlyCollection<string> UsedParts => _handles.Keys;

    /// <summary>The bytes that a tensor's entries name.</summary>
    /// <param name="entries">Keys and values, as the tensor has them.</param>
    /// <param name="byteLength">The bytes that its dtype and shape ask for.</param>
    /// <param name="tensor">Its name, for errors.</param>
    /// <param name="fileOffset">Where its entries stand, for errors.</param>
    internal TensorData Resolve(IReadOnlyList<KeyValuePair<string, string>> entries, long byteLength, string tensor, long fileOffset)
    {
        string? location = null;
        long? offset = null;
        long? length = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in entries)
        {
            if (!seen.Add(key))
            {
                throw Unsafe($"its key '{key}' stands twice");
            }

            switch (key)
            {
                case "location":
                    location = value;
                    break;
                case "offset":
                    offset = ParseNumber(key, value);
                    break;
                case "length":
                    length = ParseNumber(key, value);
                    break;
                case "checksum":
                    break;
                default:
                    throw Unsafe($"its key '{key}' is not one of location, offset, length, checksum");
            }
        }

        if (location is null || !IsPlainName(location))
        {
            throw Unsafe($"its location '{location}' is not the plain name of a part: one segment without / \\ : or NUL");
        }

        if (length is not null && length != byteLength)
        {
            throw Unsafe($"its length {length} is not the {byteLength} bytes of its type and shape");
        }

        return references is null ? Find(location, offset ?? 0, byteLength, tensor, fileOffset) : Note(location, byteLength);

        long ParseNumber(string key, string value) =>
            long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                ? number
                : throw Unsafe($"its {key} '{value}' is not a decimal number from 0 to {long.MaxValue}");

        ModelFormatException Unsafe(string reason) => Refused(reason, tensor, fileOffset);
    }

    private FileTensorData Find(string location, long start, long byteLength, string tensor, long fileOffset)
    {
        var handle = Open(location, tensor, fileOffset);
        long size = RandomAccess.GetLength(handle);
        return start > size || byteLength > size - start
            ? throw Refused($"its bytes {start} to {(decimal)start + byteLength} pass the end of part '{location}' of {size} bytes", tensor, fileOffset)
            : new FileTensorData(handle, start, byteLength);
    }

    // Only its size is wanted.
    private ZeroTensorData Note(string location, long byteLength)
    {
        references!.Add(location);
        return new ZeroTensorData(byteLength);
    }

    private static ModelFormatException Refused(string reason, string tensor, long fileOffset) =>
        new(ModelFormatError.UnsafeExternalData, $"The external data of tensor '{tensor}' is refused: {reason}.", fileOffset, tensor);

    // Device names and alternate streams are ruled out with the colon; "." and ".." are folders.
    private static bool IsPlainName(string location) =>
        location is not ("" or "." or "..") && location.AsSpan().IndexOfAny("/\\:\0") < 0;

    private SafeFileHandle Open(string location, string tensor, long fileOffset)
    {
        if (_handles.TryGetValue(location, out var handle))
        {
            return handle;
        }

        if (!parts.Others.TryGetValue(location, out string? path))
        {
            throw new ModelFormatException(
                ModelFormatError.MissingPart,
                $"Tensor '{tensor}' lies in part '{location}', which was not given. Add that file to the model.",
                fileOffset,
                tensor);
        }

        handle = File.OpenHandle(path, options: FileOptions.RandomAccess);
        opened.Add(handle);
        _handles.Add(location, handle);
        return handle;
    }
}
