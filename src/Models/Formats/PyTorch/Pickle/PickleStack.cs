namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The stack of the pickle machine, with its marks.</summary>
internal sealed class PickleStack
{
    private readonly List<object?> _values = [];
    private readonly List<int> _marks = [];

    /// <summary>The instruction that is carried out, for messages.</summary>
    public PickleOpcode Opcode { get; set; }

    /// <summary>Where it stands in the file.</summary>
    public long Offset { get; set; }

    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    /// <summary>Adds a value.</summary>
    /// <param name="value">The value.</param>
    public void Push(object? value) => _values.Add(value);

    /// <summary>The top, which stays.</summary>
    /// <exception cref="ModelFormatException">There is nothing above the last mark.</exception>
    public object? Peek() => _values.Count > Floor ? _values[^1] : throw Empty();

    /// <summary>Takes the top away.</summary>
    /// <exception cref="ModelFormatException">There is nothing above the last mark.</exception>
    public object? Pop()
    {
        object? value = Peek();
        _values.RemoveAt(_values.Count - 1);
        return value;
    }

    /// <summary>Takes the top away, or the mark when nothing is above it.</summary>
    /// <exception cref="ModelFormatException">The stack is empty.</exception>
    public void Drop()
    {
        if (_marks.Count > 0 && _values.Count == _marks[^1])
        {
            _marks.RemoveAt(_marks.Count - 1);
        }
        else
        {
            Pop();
        }
    }

    /// <summary>Puts a mark.</summary>
    public void Mark() => _marks.Add(_values.Count);

    /// <summary>Takes everything above the last mark, and the mark.</summary>
    /// <exception cref="ModelFormatException">There is no mark.</exception>
    public List<object?> PopMark()
    {
        if (_marks.Count == 0)
        {
            throw PickleRefusals.Invalid(Opcode, "finds no mark on the stack", Offset);
        }

        int mark = _marks[^1];
        var items = _values.GetRange(mark, _values.Count - mark);
        _values.RemoveRange(mark, items.Count);
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    private ModelFormatException Empty() => PickleRefusals.Invalid(Opcode, "finds nothing on the stack", Offset);
}
