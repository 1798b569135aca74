using Condense.Models.Formats.Numpy;
using Condense.Models.Formats.Onnx;
using Condense.Models.Formats.Safetensors;
using Condense.Models.Tensors;

namespace Condense.Models;

/// <summary>Writes models in their format.</summary>
public static class ModelWriter
{
    /// <summary>Whether a format has elements of a type. ONNX has all but those of 6 bits and scales alone; NumPy has neither bfloat16 nor anything below 8 bits.</summary>
    /// <param name="format">A format that is written.</param>
    /// <param name="dtype">Any type.</param>
    public static bool Holds(ModelFormat format, DType dtype) => format switch
    {
        ModelFormat.Safetensors => SafetensorsDTypes.NameOf(dtype) is not null,
        ModelFormat.Onnx => dtype is not (DType.F6E2M3 or DType.F6E3M2),
        _ => NpyDTypes.NameOf(dtype) is not null,
    };

    /// <summary>The exact number of bytes that <see cref="WriteAsync"/> writes into all files together. Reads no weight.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">The format can't hold the model.</exception>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    public static long Measure(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Format switch
        {
            ModelFormat.Onnx => OnnxWriter.Measure(model),
            ModelFormat.Npy => NpyWriter.Measure(model),
            ModelFormat.Npz => NpzWriter.Measure(model),
            ModelFormat.PyTorch => throw PyTorch(model),
            _ => SafetensorsWriter.Measure(model),
        };
    }

    /// <summary>
    /// Writes a model, streamed: memory is bounded by the structure and a buffer. ONNX models that would pass 2 GiB get their weights in a second
    /// file <c>&lt;name&gt;.data</c> beside the first. Byte-stable: equal models give equal files.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The main file, created or replaced. Not atomic: the caller renames.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <returns>The paths written, the main file first.</returns>
    /// <exception cref="ArgumentException">The format can't hold the model; nothing is written.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static Task<IReadOnlyList<string>> WriteAsync(Model model, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Format switch
        {
            ModelFormat.Onnx => OnnxWriter.WriteAsync(model, path, cancellationToken),
            ModelFormat.Npy => NpyWriter.WriteAsync(model, path, cancellationToken),
            ModelFormat.Npz => NpzWriter.WriteAsync(model, path, cancellationToken),
            ModelFormat.PyTorch => throw PyTorch(model),
            _ => SafetensorsWriter.WriteAsync(model, path, cancellationToken),
        };
    }

    // A pickle is never written: to read one can run any program.
    private static ArgumentException PyTorch(Model model) => new("PyTorch checkpoints are read, never written; write safetensors.", nameof(model));
}
