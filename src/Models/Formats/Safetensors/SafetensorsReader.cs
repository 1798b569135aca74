using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Safetensors;

/// <summary>Reads safetensors models, in one file or in shards. Only headers are read; tensors stay in their files.</summary>
internal static class SafetensorsReader
{
    /// <summary>Reads what the header, or the index of shards, says. Shards are not opened.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The header or index is broken or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ModelIdentity Identify(ModelParts parts, ReadLimits limits)
    {
        var budget = new StructureBudget(limits);
        using var file = File.OpenHandle(parts.MainPath);
        int count = ShardIndex.LooksLikeJson(file) ? ShardIndex.Read(file, budget).Count : SafetensorsHeader.Read(file, budget).Tensors.Length;
        return new ModelIdentity(ModelFormat.Safetensors, count, IrVersion: null, Producer: "");
    }

    /// <summary>
    /// Opens a model. Its tensors are in the order of their bytes; shards follow each other by name. When shards carry different metadata under one
    /// key, the first shard's stands. O(header) time and memory.
    /// </summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A header or the index is broken or passes the limits, or a shard is missing.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static Model Read(ModelParts parts, ReadLimits limits)
    {
        var budget = new StructureBudget(limits);
        var files = ImmutableArray.CreateBuilder<IDisposable>();
        try
        {
            var main = File.OpenHandle(parts.MainPath);
            files.Add(main);
            if (ShardIndex.LooksLikeJson(main))
            {
                return ReadShards(ShardIndex.Read(main, budget), parts, budget, files);
            }

            var header = SafetensorsHeader.Read(main, budget);
            return new Model(ModelFormat.Safetensors, [.. header.Tensors.Select(tensor => tensor.Tensor)], program: null, header.Metadata, files.DrainToImmutable());
        }
        catch
        {
            foreach (var file in files)
            {
                file.Dispose();
            }

            throw;
        }
    }

    /// <summary>The names of the shards that an index refers to, whether they were given or not; none for a file with tensors. O(header).</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The index is broken or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static IReadOnlyCollection<string> References(ModelParts parts, ReadLimits limits)
    {
        using var main = File.OpenHandle(parts.MainPath);
        return ShardIndex.LooksLikeJson(main)
            ? new SortedSet<string>(ShardIndex.Read(main, new StructureBudget(limits)).Values, StringComparer.Ordinal)
            : [];
    }

    private static Model ReadShards(
        Dictionary<string, string> shards, ModelParts parts, StructureBudget budget, ImmutableArray<IDisposable>.Builder files)
    {
        var tensors = ImmutableArray.CreateBuilder<Tensor>(shards.Count);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var shardOf = new Dictionary<string, string>(shards.Count, StringComparer.Ordinal);
        foreach (string shard in shards.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var header = ReadShard(shard, parts, budget, files);
            foreach (var (tensor, offset) in header.Tensors)
            {
                if (!shardOf.TryAdd(tensor.Name, shard))
                {
                    throw new ModelFormatException(
                        ModelFormatError.DuplicateName,
                        $"A tensor is in two shards, '{shardOf[tensor.Name]}' and '{shard}'.",
                        offset,
                        tensor.Name);
                }

                tensors.Add(tensor);
            }

            foreach (var (key, value) in header.Metadata)
            {
                metadata.TryAdd(key, value);
            }
        }

        foreach (var (tensor, shard) in shards)
        {
            if (!shardOf.TryGetValue(tensor, out string? found) || !string.Equals(found, shard, StringComparison.Ordinal))
            {
                throw new ModelFormatException(
                    ModelFormatError.MissingPart,
                    $"The index places a tensor in the shard '{shard}', which does not hold it{(found is null ? "" : $"; '{found}' does")}.",
                    tensor: tensor);
            }
        }

        return new Model(ModelFormat.Safetensors, tensors.DrainToImmutable(), program: null, metadata, files.DrainToImmutable())
        {
            UsedParts = [.. shards.Values.Distinct(StringComparer.Ordinal)],
        };
    }

    private static SafetensorsHeader ReadShard(
        string shard, ModelParts parts, StructureBudget budget, ImmutableArray<IDisposable>.Builder files)
    {
        if (!parts.Others.TryGetValue(shard, out string? path))
        {
            throw new ModelFormatException(
                ModelFormatError.MissingPart, $"The shard '{shard}', which the index names, is not among the model's files. Add it.");
        }

        var file = File.OpenHandle(path);
        files.Add(file);
        try
        {
            return SafetensorsHeader.Read(file, budget);
        }
        catch (ModelFormatException exception)
        {
            throw new ModelFormatException(exception.Code, $"In the shard '{shard}': {exception.Message}", exception.Offset, exception.Tensor, exception);
        }
    }
}
