using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch;

/// <summary>
/// Finds the tensors in what a pickle holds. A tensor's name is its path: the keys of dictionaries and the indices of lists and tuples, joined by dots, so
/// that a plain state dictionary keeps its names, what is wrapped in <c>model_state_dict</c> begins with it, and a pair <c>(tensor, scale)</c> gives
/// <c>name.0</c> and <c>name.1</c>.
/// </summary>
/// <param name="budget">What is left to take.</param>
/// <param name="fileLength">The file's length.</param>
/// <param name="pickleOffset">Where the pickle begins in the file.</param>
internal sealed class CheckpointTensors(PickleBudget budget, long fileLength, long pickleOffset)
{
    // The name of a tensor that is all that the file holds.
    private const string LoneName = "tensor";

    // Views may overlap and repeat; but if all of them together are this many times the file, and not small, the file is made to fill a disk.
    private const long MostExpansion = 64;
    private const long SmallBytes = 16 << 20;

    private const int MaxIndexDigits = 10;

    // Trainings have one or a few.
    private const int MostOptimizers = 100;

    private readonly ImmutableArray<Tensor>.Builder _tensors = ImmutableArray.CreateBuilder<Tensor>();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly StringBuilder _path = new();
    private readonly SharedTensors _shared = new();
    private readonly List<ModelFinding> _findings = [];
    private long _totalBytes;
    private long _others;

    /// <summary>Finds the tensors.</summary>
    /// <param name="value">The pickle's value; its storages have their data.</param>
    /// <param name="findings">What there is to say about them.</param>
    /// <exception cref="ModelFormatException">A tensor is broken or of a kind that isn't read, or the limits are passed.</exception>
    public ImmutableArray<Tensor> Find(object? value, out ImmutableArray<ModelFinding> findings)
    {
        Visit(value, depth: 0);
        _findings.AddRange(_shared.ToFindings());
        if (_others > 0)
        {
            _findings.Add(new("not_tensors", $"The checkpoint holds {_others} values that are no tensors (numbers, texts, settings); they are not carried into a result."));
        }

        findings = [.. _findings];
        return _tensors.DrainToImmutable();
    }

    private void Visit(object? value, int depth)
    {
        if (depth > budget.Limits.Depth)
        {
            throw new ModelFormatException(
                ModelFormatError.TooDeep, $"The checkpoint is nested more than {budget.Limits.Depth} deep, at '{PickleRefusals.Shorten(_path.ToString())}'.", pickleOffset);
        }

        switch (value)
        {
            case PickledTensor tensor:
                Add(tensor);
                break;
            case PickledArray array:
                Add(array);
                break;
            case UnreadTensor unread:
                string shown = PickleRefusals.Shorten(Name());
                throw new ModelFormatException(ModelFormatError.UnsupportedFormat, $"'{shown}' is {unread.Kind}.", unread.Offset, shown);
            case PickleDictionary dictionary:
                VisitEntries(dictionary, depth);
                break;
            case PickleSequence sequence:
                VisitItems(sequence.Items, depth);
                break;
            default:
                _others++;
                break;
        }
    }

    private void VisitEntries(PickleDictionary dictionary, int depth)
    {
        int before = _tensors.Count;
        long bytesBefore = _totalBytes;
        bool hasState = false;
        bool hasGroups = false;
        foreach (var (key, value) in EntriesOf(dictionary, depth))
        {
            hasState |= key is "state";
            hasGroups |= key is "param_groups";
            VisitChild(KeyText(key), value, depth);
        }

        // What torch.optim's state_dict() gives has these two keys.
        if (hasState && hasGroups && _tensors.Count > before && _findings.Count < MostOptimizers)
        {
            string where = _path.Length == 0 ? "The whole file" : $"'{PickleRefusals.Shorten(_path.ToString())}'";
            _findings.Add(new(
                "optimizer_state",
                $"{where} is the state of an optimizer: {_tensors.Count - before} tensors, {_totalBytes - bytesBefore} bytes, that the model doesn't need to run. Save the model without it.",
                _tensors[before].Name));
        }
    }

    // The entries of the source first, then its own. A row of pairs is a source too.
    private IEnumerable<(object? Key, object? Value)> EntriesOf(PickleDictionary dictionary, int depth)
    {
        var chain = new Stack<PickleDictionary>();
        object? source = dictionary;
        while (source is PickleDictionary next)
        {
            chain.Push(next);
            source = next.Source;
            if (source is not null)
            {
                // A chain that stands under many paths is walked for each.
                budget.Visit(nameLength: 0, pickleOffset);
            }

            if (chain.Count + depth > budget.Limits.Depth)
            {
                throw new ModelFormatException(ModelFormatError.TooDeep, $"Dictionaries are made of each other more than {budget.Limits.Depth} deep.", pickleOffset);
            }
        }

        foreach (object? pair in source is PickleSequence pairs ? pairs.Items : [])
        {
            yield return pair is PickleSequence { Items: [var key, var value] }
                ? (key, value)
                : throw new ModelFormatException(ModelFormatError.InvalidPickle, "A dictionary is made of what are no pairs.", pickleOffset);
        }

        foreach (var part in chain)
        {
            for (int i = 0; i < part.Entries.Count; i += 2)
            {
                yield return (part.Entries[i], part.Entries[i + 1]);
            }
        }
    }

    private void VisitItems(List<object?> items, int depth)
    {
        Span<char> index = stackalloc char[MaxIndexDigits];
        for (int i = 0; i < items.Count; i++)
        {
            i.TryFormat(index, out int digits, provider: CultureInfo.InvariantCulture);
            VisitChild(index[..digits], items[i], depth);
        }
    }

    private void VisitChild(ReadOnlySpan<char> key, object? value, int depth)
    {
        budget.Visit(key.Length, pickleOffset);
        if (value is null or bool or long or double or string or InertObject or TensorData or PickleGlobal)
        {
            _others++;
            return;
        }

        int length = _path.Length;
        if (length > 0)
        {
            _path.Append('.');
        }

        _path.Append(key);
        if (_path.Length > budget.Limits.NameBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"A path in the checkpoint has more than {budget.Limits.NameBytes} characters, the most that are read.", pickleOffset);
        }

        Visit(value, depth + 1);
        _path.Length = length;
    }

    private string KeyText(object? key) => key switch
    {
        string text => text,
        long number => number.ToString(CultureInfo.InvariantCulture),
        bool truth => truth ? "True" : "False",
        null => "None",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        PickleSequence { Items: [var single] } when single is not PickleSequence => KeyText(single),
        PickleSequence { Items: var items } when items.Count < 8 && items.TrueForAll(item => item is not PickleSequence) => string.Join(',', items.Select(KeyText)),
        _ => throw new ModelFormatException(
            ModelFormatError.InvalidPickle, $"A dictionary at '{PickleRefusals.Shorten(_path.ToString())}' has a key that is neither a text nor a number.", pickleOffset),
    };

    private string Name() => _path.Length == 0 ? LoneName : _path.ToString();

    private void Add(PickledTensor view) => AddNamed(
        name =>
        {
            var tensor = TensorView.Open(view, name);
            _shared.Add(tensor, view);
            return tensor;
        },
        view.Offset);

    private void Add(PickledArray array) => AddNamed(name => ArrayTensor.Read(array, name, budget), array.Offset);

    private void AddNamed(Func<string, Tensor> open, long offset)
    {
        string name = Name();
        budget.Tensor(offset);
        budget.Keep(PickleBudget.EntryBytes + (2 * name.Length), offset);
        var tensor = open(name);
        if (!_names.Add(name))
        {
            throw new ModelFormatException(
                ModelFormatError.DuplicateName, $"Two tensors of the checkpoint have the path '{PickleRefusals.Shorten(name)}'. Rename one.", offset, name);
        }

        _totalBytes = tensor.Data.ByteLength > long.MaxValue - _totalBytes ? long.MaxValue : _totalBytes + tensor.Data.ByteLength;
        if (_totalBytes > SmallBytes && _totalBytes / MostExpansion > fileLength)
        {
            throw new ModelFormatException(
                ModelFormatError.ArchiveBomb,
                $"The tensors up to '{PickleRefusals.Shorten(name)}' have {_totalBytes} bytes, more than {MostExpansion} times the file's {fileLength}: they repeat the same elements. Save what is expanded as it was before.",
                offset,
                name);
        }

        _tensors.Add(tensor);
    }
}
