using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.PyTorch;

/// <summary>Reads checkpoints of PyTorch, both containers. Nothing of them is ever run, and the reader that checks is the reader that loads.</summary>
internal static class PyTorchReader
{
    /// <summary>Reads what there is to know without the weights.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The file is unsafe, broken, or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ModelIdentity Identify(ModelParts parts, ReadLimits limits)
    {
        using var model = Read(parts, limits);
        return new ModelIdentity(ModelFormat.PyTorch, model.Tensors.Length, IrVersion: null, Producer: "");
    }

    /// <summary>
    /// Opens a checkpoint. Its tensors are in the order of the pickle, named by their paths; their elements stay in the file. O(pickle) time and memory.
    /// </summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The file is unsafe, broken, holds no tensor, or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Model Read(ModelParts parts, ReadLimits limits)
    {
        var file = File.OpenHandle(parts.MainPath, options: FileOptions.RandomAccess);
        try
        {
            var contents = IsZip(file) ? ZipCheckpoint.Read(file, limits) : LegacyCheckpoint.Read(file, limits);
            var tensors = new CheckpointTensors(contents.Budget, RandomAccess.GetLength(file), contents.Offset).Find(contents.Value, out var found);
            if (tensors.IsEmpty)
            {
                throw new ModelFormatException(
                    ModelFormatError.UnsupportedFormat, "The pickle holds no tensor. Save the weights: torch.save(model.state_dict(), path), or safetensors.", contents.Offset);
            }

            return new Model(ModelFormat.PyTorch, tensors, program: null, new Dictionary<string, string>(StringComparer.Ordinal), [file])
            {
                Findings = [.. contents.Trace.ToFindings(), .. contents.Findings, .. found],
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static bool IsZip(SafeFileHandle file)
    {
        Span<byte> start = stackalloc byte[2];
        if (RandomAccess.GetLength(file) < start.Length)
        {
            return false;
        }

        new FileTensorData(file, 0, start.Length).Read(0, start);
        return start.SequenceEqual("PK"u8);
    }
}
