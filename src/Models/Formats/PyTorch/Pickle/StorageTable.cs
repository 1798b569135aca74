namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The storages that a pickle mentions, by key. Their bytes are found afterwards, by the container.</summary>
internal sealed class StorageTable
{
    // PyTorch's are numbers. Keys are hashed at each mention, and one text of the memo can be mentioned in a few bytes.
    private const int MaxKeyLength = 256;

    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);

    /// <summary>The storages, in the order of their first mention.</summary>
    public List<PickledStorage> All { get; } = [];

    /// <summary>A storage by its key; null when the pickle doesn't mention it.</summary>
    /// <param name="key">The key.</param>
    public PickledStorage? Find(string key) => _storages.GetValueOrDefault(key);

    /// <summary>
    /// The storage that a persistent id names: <c>('storage', class, key, place, elements)</c> and, in the older container, None or the key, first element
    /// and length of a part.
    /// </summary>
    /// <param name="id">What the pickle gives as the id.</param>
    /// <param name="offset">Where it stands.</param>
    /// <param name="budget">What is left to take.</param>
    /// <exception cref="ModelFormatException">It names something else, contradicts an earlier mention, or has too long a key.</exception>
    public StorageView Mention(object? id, long offset, PickleBudget budget)
    {
        if (id is not PickleSequence { Kind: SequenceKind.Tuple, Items: [string kind, ..] items })
        {
            throw Invalid("a persistent id that is no tuple", offset);
        }

        if (!string.Equals(kind, "storage", StringComparison.Ordinal))
        {
            throw PickleRefusals.Unsafe(PickleOpcode.BinPersId, $"keeps something else than tensors outside itself, '{PickleRefusals.Shorten(kind)}'", offset);
        }

        if (items is not [_, PickleGlobal { Meaning: GlobalMeaning.StorageClass, Type: { } type }, var keyValue, _, long count, ..] || items.Count > 6 || count < 0)
        {
            throw Invalid("a persistent id that describes no storage", offset);
        }

        string key = keyValue switch
        {
            string text => text,
            long number => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            _ => throw Invalid("a storage whose key is no text", offset),
        };
        if (key.Length > MaxKeyLength)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"The storage '{PickleRefusals.Shorten(key)}' has a key of {key.Length} characters; at most {MaxKeyLength} are read, and PyTorch writes numbers. Save the weights anew with torch.save(model.state_dict(), path).",
                offset);
        }

        var storage = FindOrAdd(key, type, Multiply(count, type.Bytes, offset), offset, budget);
        return items.Count == 6 && items[5] is { } view ? Part(storage, type, view, offset) : new StorageView(storage, type, 0, storage.ByteLength);
    }

    private PickledStorage FindOrAdd(string key, TorchType type, long byteLength, long offset, PickleBudget budget)
    {
        if (!_storages.TryGetValue(key, out var storage))
        {
            budget.Keep(PickleBudget.EntryBytes, offset);
            storage = new PickledStorage(key, type, byteLength, offset);
            _storages.Add(key, storage);
            All.Add(storage);
        }
        else if (storage.ByteLength != byteLength || storage.Type != type)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidPickle,
                $"The storage '{PickleRefusals.Shorten(key)}' is {storage.ByteLength} bytes of {storage.Type.Name} at its first mention and {byteLength} bytes of {type.Name} at another.",
                offset);
        }

        return storage;
    }

    private static StorageView Part(PickledStorage storage, TorchType type, object view, long offset)
    {
        if (view is not PickleSequence { Items: [_, long first, long count] } || first < 0 || count < 0)
        {
            throw Invalid("a part of a storage without its first element and length", offset);
        }

        long start = Multiply(first, type.Bytes, offset);
        long byteLength = Multiply(count, type.Bytes, offset);
        return byteLength <= storage.ByteLength && start <= storage.ByteLength - byteLength
            ? new StorageView(storage, type, start, byteLength)
            : throw new ModelFormatException(
                ModelFormatError.InvalidOffset,
                $"A part of the storage '{PickleRefusals.Shorten(storage.Key)}' has {byteLength} bytes from byte {start}; the storage has {storage.ByteLength}.",
                offset);
    }

    private static long Multiply(long count, int bytes, long offset) => Math.BigMul(count, bytes) is var product && product <= long.MaxValue
        ? (long)product
        : throw new ModelFormatException(ModelFormatError.ValidationOverflow, $"A storage of {count} elements has more bytes than can be counted.", offset);

    private static ModelFormatException Invalid(string what, long offset) =>
        new(ModelFormatError.InvalidPickle, $"The pickle has {what}.", offset);
}
