using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Safetensors;

/// <summary>
/// The index of a model in shards (<c>model.safetensors.index.json</c>): a JSON object whose <c>weight_map</c> gives each tensor's shard. Other keys
/// are of no consequence and are skipped.
/// </summary>
internal static class ShardIndex
{
    /// <summary>
    /// Whether a file's first bytes are those of a JSON object. The length that a safetensors file begins with always has zero bytes in its upper
    /// half; text has none.
    /// </summary>
    /// <param name="start">The first bytes, at least 8 where the file has them.</param>
    public static bool LooksLikeJson(ReadOnlySpan<byte> start) =>
        start.TrimStart(" \t\r\n"u8).StartsWith("{"u8) && !start[..Math.Min(SafetensorsHeader.LengthBytes, start.Length)].Contains((byte)0);

    /// <inheritdoc cref="LooksLikeJson(ReadOnlySpan{byte})"/>
    /// <param name="file">The open file.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static bool LooksLikeJson(SafeFileHandle file)
    {
        Span<byte> start = stackalloc byte[64];
        start = start[..RandomAccess.Read(file, start, 0)];
        return LooksLikeJson(start);
    }

    /// <summary>The shard of every tensor, by the tensor's name. O(bytes).</summary>
    /// <param name="file">The open index.</param>
    /// <param name="budget">What is left to take.</param>
    /// <exception cref="ModelFormatException">The index is broken, passes the limits, or has no <c>weight_map</c> (<see cref="ModelFormatError.UnsupportedFormat"/>).</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Dictionary<string, string> Read(SafeFileHandle file, StructureBudget budget)
    {
        long length = RandomAccess.GetLength(file);
        if (length > budget.Limits.HeaderBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.HeaderTooLarge, $"The index has {length} bytes; at most {budget.Limits.HeaderBytes} are read.", offset: 0);
        }

        Dictionary<string, string>? shards = null;
        var tokens = new HeaderTokens(file, 0, length, budget.Limits.NameBytes);
        tokens.Expect(JsonTokenType.StartObject, "the index's JSON object");
        while (tokens.Read() && tokens.Type == JsonTokenType.PropertyName)
        {
            if (!tokens.TextEquals("weight_map"u8))
            {
                tokens.SkipValue();
                continue;
            }

            if (shards is not null)
            {
                throw new ModelFormatException(ModelFormatError.DuplicateName, "The index has the key weight_map twice.", tokens.Offset);
            }

            shards = ReadMap(ref tokens, budget);
        }

        tokens.Read();
        return shards ?? throw new ModelFormatException(
            ModelFormatError.UnsupportedFormat,
            "The file is JSON without a weight_map. Of JSON files only the index of a safetensors model in shards (model.safetensors.index.json) is read.",
            offset: 0);
    }

    private static Dictionary<string, string> ReadMap(ref HeaderTokens tokens, StructureBudget budget)
    {
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        tokens.Expect(JsonTokenType.StartObject, "the object weight_map");
        while (tokens.Read() && tokens.Type == JsonTokenType.PropertyName)
        {
            long offset = tokens.Offset;
            budget.Add(tokens.TextBytes, offset);
            string tensor = tokens.GetName();
            tokens.Expect(JsonTokenType.String, "the name of a shard", tensor);
            string shard = tokens.GetName();

            // One string for each shard, not one for each of its tensors.
            if (!names.TryGetValue(shard, out string? kept))
            {
                RefusePath(shard, tokens.Offset, tensor);
                budget.Add(tokens.TextBytes, offset);
                names.Add(shard, kept = shard);
            }

            if (!shards.TryAdd(tensor, kept))
            {
                throw new ModelFormatException(
                    ModelFormatError.DuplicateName, $"The index names a tensor twice, the second time at byte {offset}.", offset, tensor);
            }
        }

        return shards;
    }

    // A shard's name is a key into the parts; one that could be taken for a place elsewhere is refused before it is looked up.
    private static void RefusePath(string shard, long offset, string tensor)
    {
        if (shard.Length == 0 || shard is "." or ".." || shard.AsSpan().ContainsAny("/\\:\0"))
        {
            throw new ModelFormatException(
                ModelFormatError.UnsafeExternalData,
                "The index names a shard that is not a plain file name: it may not be empty, '.' or '..', nor hold / \\ : or NUL.",
                offset,
                tensor);
        }
    }
}
