using System.Globalization;
using System.Numerics;
using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.PyTorch;

/// <summary>
/// The checkpoints of PyTorch before 1.6, still written on request: pickles one after another (a magic number, the protocol, the writer's machine, the
/// objects, the keys of storages), then each storage as its number of elements, 8 bytes, and the elements, little-endian whatever the machine was. A file
/// that is one pickle without the magic number is read too, for the NumPy arrays that it may hold.
/// </summary>
/// <remarks><c>torch/serialization.py</c>, <c>_legacy_save</c> and <c>_legacy_load</c>.</remarks>
internal static class LegacyCheckpoint
{
    private const long Protocol = 1001;

    private static readonly BigInteger s_magic = BigInteger.Parse("01950a86a20f9469cfc6c", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>Reads the pickles, and finds the storages. O(pickles + storages) time and memory.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A pickle is unsafe or broken, or the file is cut or longer than it says.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static PickleContents Read(SafeFileHandle file, ReadLimits limits)
    {
        var whole = new FileTensorData(file, 0, RandomAccess.GetLength(file));
        var budget = new PickleBudget(limits, whole.ByteLength);
        var source = new PickleSource(whole, fileOffset: 0, budget);
        var trace = new PickleTrace();
        object? first = new PickleMachine(source, trace, storages: null).Run();
        if (first is not BigInteger magic || magic != s_magic)
        {
            DemandEnd(source, "its only pickle");
            return new PickleContents(first, trace, budget, 0, []);
        }

        if (new PickleMachine(source, trace, storages: null).Run() is not Protocol)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion, $"The file has PyTorch's magic number, but not its protocol {Protocol}. Save it anew with a newer PyTorch.", source.Offset);
        }

        // The writer's byte order and sizes of C types; nothing of what follows depends on them.
        new PickleMachine(source, trace, storages: null).Run();
        long objects = source.Offset;
        var storages = new StorageTable();
        object? value = new PickleMachine(source, trace, storages).Run();
        object? keys = new PickleMachine(source, trace, storages: null).Run();
        FindStorages(source, whole, storages, keys);
        DemandEnd(source, "its last storage");
        return new PickleContents(value, trace, budget, objects, []);
    }

    private static void FindStorages(PickleSource source, TensorData whole, StorageTable storages, object? keys)
    {
        foreach (object? item in keys is PickleSequence { Kind: SequenceKind.List } list ? list.Items : throw Contradiction("no list of storages", source.Offset))
        {
            string key = item switch
            {
                string text => text,
                long number => number.ToString(CultureInfo.InvariantCulture),
                _ => throw Contradiction("a storage whose key is no text", source.Offset),
            };
            if (storages.Find(key) is not { Data: null } storage)
            {
                throw Contradiction($"a storage '{PickleRefusals.Shorten(key)}' that no tensor mentions, or that stands twice", source.Offset);
            }

            long start = source.Offset;
            long count = source.ReadInt64();
            if (count < 0 || count > long.MaxValue / storage.Type.Bytes || count * storage.Type.Bytes != storage.ByteLength)
            {
                throw Contradiction(
                    $"{count} elements of {storage.Type.Name} in the storage '{PickleRefusals.Shorten(key)}', which a tensor says to have {storage.ByteLength} bytes", start);
            }

            if (storage.ByteLength > source.Remaining)
            {
                throw new ModelFormatException(
                    ModelFormatError.Truncated,
                    $"The storage '{PickleRefusals.Shorten(key)}' has {storage.ByteLength} bytes, but the file ends after {source.Remaining}. Was it cut?",
                    start);
            }

            storage.Data = new SliceTensorData(whole, source.Position, storage.ByteLength);
            source.Skip(storage.ByteLength);
        }

        if (storages.All.Find(storage => storage.Data is null) is { } missing)
        {
            throw Contradiction($"no storage '{PickleRefusals.Shorten(missing.Key)}', which a tensor mentions", missing.Offset);
        }
    }

    private static void DemandEnd(PickleSource source, string what)
    {
        if (source.Remaining > 0)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidPickle, $"{source.Remaining} bytes follow the end of {what}, at byte {source.Offset}. What they are can't be told.", source.Offset);
        }
    }

    private static ModelFormatException Contradiction(string what, long offset) => new(ModelFormatError.InvalidPickle, $"The checkpoint has {what}.", offset);
}
