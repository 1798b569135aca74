using System.Text;
using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Formats.Zip;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.PyTorch;

/// <summary>
/// The checkpoints of PyTorch since 1.6: a zip archive with <c>data.pkl</c>, the storages as <c>data/KEY</c>, and notes of the version, all in one folder.
/// </summary>
/// <remarks><c>torch/serialization.py</c>, <c>_save</c> and <c>_load</c>; <c>caffe2/serialize/inline_container.cc</c>.</remarks>
internal sealed class ZipCheckpoint
{
    private const string PickleName = "data.pkl";
    private const int MaxNoteBytes = 256;

    private static readonly string[] s_notes = ["version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"];

    private readonly ZipDirectory _archive;
    private readonly ZipEntry _pickle;
    private readonly string _root;

    private ZipCheckpoint(ZipDirectory archive, ZipEntry pickle)
    {
        _archive = archive;
        _pickle = pickle;
        _root = pickle.Name[..^PickleName.Length];
    }

    /// <summary>Reads the pickle, and finds the storages. O(pickle + entries) time and memory.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The archive is broken, has no pickle or several, or the pickle is unsafe or broken.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static PickleContents Read(SafeFileHandle file, ReadLimits limits)
    {
        var archive = ZipDirectory.Read(file, limits);
        var pickles = archive.Entries.Where(IsPickle).Take(2).ToList();
        if (pickles.Count != 1)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                pickles.Count == 0
                    ? $"The zip archive has no {PickleName} in a folder at its top, as a checkpoint of PyTorch has."
                    : $"The zip archive has two pickles of a checkpoint, '{pickles[0].Name}' and '{pickles[1].Name}'; which of them is meant can't be told.",
                pickles.Count == 0 ? 0 : pickles[1].DataOffset);
        }

        return new ZipCheckpoint(archive, pickles[0]).ReadContents(limits);
    }

    private static bool IsPickle(ZipEntry entry) => entry.Name.EndsWith(PickleName, StringComparison.Ordinal)
        && (entry.Name.Length == PickleName.Length || entry.Name.IndexOf('/', StringComparison.Ordinal) == entry.Name.Length - PickleName.Length - 1);

    private PickleContents ReadContents(ReadLimits limits)
    {
        if (_archive.Entries.FirstOrDefault(entry => IsBelow("code/", entry) || Is("constants.pkl", entry)) is { } code)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedFormat,
                "The file is a TorchScript archive, which holds a program beside its weights. Save the weights alone (torch.save(model.state_dict(), path)), or export the model to ONNX.",
                code.DataOffset);
        }

        CheckNotes();

        // Places are those of the file where the entry is stored as it is; else those of its unpacked bytes.
        long start = _pickle.Method == ZipMethod.Stored ? _pickle.DataOffset : 0;
        var budget = new PickleBudget(limits, _pickle.Length);
        var source = new PickleSource(_archive.Open(_pickle), start, budget);
        var trace = new PickleTrace();
        var storages = new StorageTable();
        object? value = new PickleMachine(source, trace, storages).Run();
        if (source.Remaining > 0)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidPickle, $"{source.Remaining} bytes follow the end of the pickle '{ZipDirectory.Shorten(_pickle.Name)}', at byte {source.Offset}.", source.Offset);
        }

        foreach (var storage in storages.All)
        {
            Find(storage);
        }

        return new PickleContents(value, trace, budget, start, FindUnread(storages));
    }

    private void Find(PickledStorage storage)
    {
        string name = $"{_root}data/{storage.Key}";
        var entry = _archive.Find(name) ?? throw new ModelFormatException(
            ModelFormatError.InvalidArchive,
            $"The archive has no entry '{PickleRefusals.Shorten(name)}', whose elements a tensor mentions. Save the model anew.",
            storage.Offset);
        if (entry.Method != ZipMethod.Stored)
        {
            // Any number of tensors can be views of one storage, and each of them would unpack all that stands before it.
            throw new ModelFormatException(
                ModelFormatError.UnsupportedArchive,
                $"The entry '{PickleRefusals.Shorten(name)}' is compressed; PyTorch stores the elements of tensors as they are. Load the checkpoint and save it again with torch.save.",
                entry.DataOffset);
        }

        storage.Data = entry.Length == storage.ByteLength
            ? _archive.Open(entry)
            : throw new ModelFormatException(
                ModelFormatError.TensorInvalidInfo,
                $"The entry '{PickleRefusals.Shorten(name)}' has {entry.Length} bytes; the pickle says {storage.ByteLength}.",
                entry.DataOffset);
    }

    // Notes that would change the meaning of what is read. Others are left alone.
    private void CheckNotes()
    {
        if (Note("byteorder") is { } order && !string.Equals(order, "little", StringComparison.Ordinal))
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedFormat,
                $"The checkpoint's byte order is '{PickleRefusals.Shorten(order)}'; only little-endian ones are read. Load and save it on a common machine.",
                _archive.Find(_root + "byteorder")!.DataOffset);
        }

        if (Note(".format_version") is { } version && !string.Equals(version, "1", StringComparison.Ordinal))
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion,
                $"The checkpoint is of format '{PickleRefusals.Shorten(version)}'; format 1 is read.",
                _archive.Find(_root + ".format_version")!.DataOffset);
        }
    }

    private string? Note(string name) => _archive.Find(_root + name) is { } entry
        ? Encoding.Latin1.GetString(_archive.ReadAll(entry, MaxNoteBytes)).TrimEnd('\n')
        : null;

    private List<ModelFinding> FindUnread(StorageTable storages)
    {
        var unread = _archive.Entries.Where(entry => !IsKnown(entry, storages)).ToList();
        return unread.Count == 0
            ? []
            : [new ModelFinding(
                "unread_entries",
                $"The archive has {unread.Count} entries of {unread.Sum(entry => (decimal)entry.Length)} bytes that no tensor uses; they were not read. The first is '{ZipDirectory.Shorten(unread[0].Name)}'.",
                Offset: unread[0].DataOffset)];
    }

    private bool IsKnown(ZipEntry entry, StorageTable storages) =>
        ReferenceEquals(entry, _pickle)
        || s_notes.Any(note => Is(note, entry))
        || (IsBelow("data/", entry) && storages.Find(entry.Name[(_root.Length + "data/".Length)..]) is not null);

    private bool Is(string name, ZipEntry entry) => entry.Name.Length == _root.Length + name.Length && IsBelow(name, entry);

    private bool IsBelow(string prefix, ZipEntry entry) =>
        entry.Name.StartsWith(_root, StringComparison.Ordinal) && entry.Name.AsSpan(_root.Length).StartsWith(prefix, StringComparison.Ordinal);
}
