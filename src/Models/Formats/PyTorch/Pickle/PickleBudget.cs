namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>
/// Counts what a pickle makes the reader keep. Besides <see cref="ReadLimits.StructureBytes"/>, memory is bound to the pickle's own length: what a few
/// bytes can ask for again and again (arguments used twice, names below long names) would else fill it.
/// </summary>
internal sealed class PickleBudget
{
    /// <summary>What a value on the stack takes: its slot, and its box if it is a number.</summary>
    public const int ValueBytes = 40;

    /// <summary>What a container takes before its elements.</summary>
    public const int ContainerBytes = 96;

    /// <summary>What an entry of the memo takes.</summary>
    public const int MemoBytes = 64;

    /// <summary>What a storage, tensor or name takes beside its text.</summary>
    public const int EntryBytes = 320;

    private const long BytesPerByte = 256;
    private const long BaseBytes = 1 << 20;
    private const int CharactersPerVisit = 64;

    private readonly long _maxBytes;
    private long _bytes;
    private long _visits;
    private int _tensors;

    /// <summary>Takes the limits.</summary>
    /// <param name="limits">What is accepted.</param>
    /// <param name="pickleBytes">The length of the pickle, or of the file that it ends in.</param>
    public PickleBudget(ReadLimits limits, long pickleBytes)
    {
        Limits = limits;
        _maxBytes = pickleBytes > (limits.StructureBytes - BaseBytes) / BytesPerByte ? limits.StructureBytes : BaseBytes + (BytesPerByte * pickleBytes);
    }

    /// <summary>What is accepted.</summary>
    public ReadLimits Limits { get; }

    /// <summary>Counts bytes that stay in memory, before they are allocated.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="offset">Where they come from.</param>
    /// <exception cref="ModelFormatException">The limits are passed.</exception>
    public void Keep(long bytes, long offset)
    {
        if (bytes > _maxBytes - _bytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"The pickle takes more than {_maxBytes} bytes of memory, the most that is allowed for one of its length.", offset);
        }

        _bytes += bytes;
    }

    /// <summary>
    /// Counts an element that is looked at. A container can stand in many others, and these in many again; without a bound, a short pickle would be
    /// walked for years.
    /// </summary>
    /// <param name="nameLength">Characters that it adds to the path.</param>
    /// <param name="offset">Where the pickle begins.</param>
    /// <exception cref="ModelFormatException">The limits are passed.</exception>
    public void Visit(int nameLength, long offset)
    {
        _visits += 1 + (nameLength / CharactersPerVisit);
        if (_visits > Limits.Items && _visits * ValueBytes > _maxBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"The checkpoint holds the same values under more than {Limits.Items} paths; that is no checkpoint of tensors.", offset);
        }
    }

    /// <summary>Counts a tensor.</summary>
    /// <param name="offset">Where it was made.</param>
    /// <exception cref="ModelFormatException">The limits are passed.</exception>
    public void Tensor(long offset)
    {
        if (++_tensors > Limits.Items)
        {
            throw new ModelFormatException(ModelFormatError.LimitExceeded, $"The checkpoint has more than {Limits.Items} tensors, the most that are read.", offset);
        }
    }
}
