namespace Condense.Models.Tests.Fuzzing;

/// <summary>A format's broken files, and its reader.</summary>
internal abstract class FuzzFormat
{
    /// <summary>Bytes that reading one input may allocate: inputs have a few kilobytes, whatever they declare.</summary>
    public const long MaxAllocation = 4 << 20;

    private const int StepBytes = 4096;

    /// <summary>The format's name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>Writes what the inputs refer to.</summary>
    /// <param name="folder">The folder that inputs are written to.</param>
    public virtual void Prepare(string folder)
    {
        // Most formats are one file.
    }

    /// <summary>A broken file; some are whole all the same.</summary>
    /// <param name="random">Decides everything about it.</param>
    public abstract byte[] Make(Random random);

    /// <summary>Reads a file, with all its tensors.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">The file is refused, as it should be.</exception>
    public abstract void Read(string path);

    /// <summary>Reads every tensor of a model through.</summary>
    /// <param name="model">The model.</param>
    protected static void ReadTensors(Model model)
    {
        Span<byte> buffer = stackalloc byte[StepBytes];
        foreach (var data in model.Tensors.Select(tensor => tensor.Data))
        {
            for (long offset = 0; offset < data.ByteLength; offset += buffer.Length)
            {
                data.Read(offset, buffer[..(int)Math.Min(buffer.Length, data.ByteLength - offset)]);
            }
        }
    }
}
