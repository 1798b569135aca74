using System.Buffers;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>
/// Reads a pickle into plain data. It can't run code: instructions and names are on closed lists, a name stands for a case of a switch, and what is
/// "called" is one of the constructors written here. What isn't on the lists ends the reading at once, wherever the value would have gone.
/// </summary>
/// <remarks>Python's <c>Lib/pickletools.py</c> describes the instructions, protocols 0 to 5.</remarks>
/// <param name="source">The pickle's bytes.</param>
/// <param name="trace">What is noted on the way.</param>
/// <param name="storages">The storages of the container; null where none can be mentioned.</param>
internal sealed class PickleMachine(PickleSource source, PickleTrace trace, StorageTable? storages)
{
    // What would make a line of text look like a name.
    private static readonly SearchValues<char> s_noName = SearchValues.Create(" \t\r\0\"'(),;:=[]{}");

    private readonly PickleStack _stack = new();
    private readonly Dictionary<uint, object?> _memo = new(new SpreadKeys());
    private readonly PickleObjects _objects = new(source.Budget);
    private readonly PickleLiterals _literals = new(source);

    private PickleOpcode _opcode;
    private long _offset;

    /// <summary>The instruction that was read last.</summary>
    public PickleOpcode Opcode => _opcode;

    /// <summary>Carries out the instructions up to STOP. O(length) time and memory.</summary>
    /// <returns>The pickle's value: null, bool, long, BigInteger, double, string, bytes as <see cref="TensorData"/>, or a type of this folder.</returns>
    /// <exception cref="ModelFormatException">The pickle is unsafe, broken, cut or passes the limits.</exception>
    public object? Run()
    {
        while (true)
        {
            _offset = source.Offset;
            _opcode = (PickleOpcode)source.ReadByte();
            if (PickleOpcodes.NameOf(_opcode) is null)
            {
                throw new ModelFormatException(ModelFormatError.InvalidPickle, $"The byte 0x{(byte)_opcode:X2} at {_offset} is no instruction of a pickle.", _offset);
            }

            source.Budget.Keep(PickleBudget.ValueBytes, _offset);
            trace.Note(_opcode, _offset);
            _stack.Opcode = _opcode;
            _stack.Offset = _offset;
            if (_opcode == PickleOpcode.Stop)
            {
                return _stack.Pop();
            }

            if (_literals.TryRead(_opcode, _offset, out object? literal))
            {
                _stack.Push(literal);
            }
            else
            {
                Execute();
            }
        }
    }

    private void Execute()
    {
        switch (_opcode)
        {
            case PickleOpcode.Proto:
                ReadProtocol();
                break;
            case PickleOpcode.Frame:
                ReadFrame();
                break;
            case PickleOpcode.Mark:
                _stack.Mark();
                break;
            case PickleOpcode.Pop:
                _stack.Drop();
                break;
            case PickleOpcode.PopMark:
                _stack.PopMark();
                break;
            case PickleOpcode.Dup:
                _stack.Push(_stack.Peek());
                break;
            case PickleOpcode.Put or PickleOpcode.BinPut or PickleOpcode.LongBinPut or PickleOpcode.Memoize:
                Remember();
                break;
            case PickleOpcode.Get or PickleOpcode.BinGet or PickleOpcode.LongBinGet:
                Recall();
                break;
            case PickleOpcode.Global:
                string module = ReadName();
                PushGlobal(module, ReadName());
                break;
            case PickleOpcode.StackGlobal:
                ReadStackGlobal();
                break;
            case PickleOpcode.BinPersId:
                _stack.Push(storages is null
                    ? throw PickleRefusals.Invalid(_opcode, "mentions a storage, but this pickle has none beside it", _offset)
                    : storages.Mention(_stack.Pop(), _offset, source.Budget));
                break;
            case PickleOpcode.Reduce or PickleOpcode.NewObj:
                object? arguments = _stack.Pop();
                object? callee = _stack.Pop();
                _stack.Push(_opcode == PickleOpcode.Reduce ? _objects.Call(callee, arguments, _offset) : _objects.New(callee, arguments, _offset));
                break;
            case PickleOpcode.Build:
                object? state = _stack.Pop();
                PickleObjects.SetState(_stack.Peek(), state, _offset);
                break;
            default:
                Gather();
                break;
        }
    }

    // The instructions that make containers or fill them.
    private void Gather()
    {
        switch (_opcode)
        {
            case PickleOpcode.EmptyList or PickleOpcode.EmptyTuple or PickleOpcode.EmptySet:
                PushSequence([]);
                break;
            case PickleOpcode.List or PickleOpcode.Tuple or PickleOpcode.FrozenSet:
                PushSequence(_stack.PopMark());
                break;
            case PickleOpcode.Tuple1 or PickleOpcode.Tuple2 or PickleOpcode.Tuple3:
                PushTuple(1 + _opcode - PickleOpcode.Tuple1);
                break;
            case PickleOpcode.EmptyDict:
                PushDictionary([]);
                break;
            case PickleOpcode.Dict:
                PushDictionary(_stack.PopMark());
                break;
            case PickleOpcode.Append:
                object? item = _stack.Pop();
                Growing(SequenceKind.List).Add(item);
                break;
            case PickleOpcode.Appends:
                var items = _stack.PopMark();
                Growing(SequenceKind.List).AddRange(items);
                break;
            case PickleOpcode.AddItems:
                var members = _stack.PopMark();
                Growing(SequenceKind.Set).AddRange(members);
                break;
            case PickleOpcode.SetItem:
                object? value = _stack.Pop();
                object? key = _stack.Pop();
                SetEntries([key, value]);
                break;
            case PickleOpcode.SetItems:
                SetEntries(_stack.PopMark());
                break;
            default:
                throw Refuse();
        }
    }

    // The instructions that make objects of classes, or take what lies outside the file.
    private ModelFormatException Refuse()
    {
        switch (_opcode)
        {
            case PickleOpcode.Inst:
                string module = ReadName();
                return PickleRefusals.Unsafe(_opcode, $"makes an object of '{PickleRefusals.Shorten(module)}.{PickleRefusals.Shorten(ReadName())}'", _offset);
            case PickleOpcode.Obj:
                _stack.PopMark();
                return PickleRefusals.Unsafe(_opcode, "makes an object of a class", _offset);
            case PickleOpcode.NewObjEx:
                return PickleRefusals.Unsafe(_opcode, "makes an object of a class", _offset);
            case PickleOpcode.PersId:
                return PickleRefusals.Invalid(_opcode, "mentions an object outside the pickle by a text, which stands for no storage", _offset);
            case PickleOpcode.Ext1 or PickleOpcode.Ext2 or PickleOpcode.Ext4:
                return PickleRefusals.Unsafe(_opcode, "uses a class that the reader would have to have registered", _offset);
            case PickleOpcode.NextBuffer or PickleOpcode.ReadOnlyBuffer:
                return PickleRefusals.Unsafe(_opcode, "takes a buffer from outside itself", _offset);
            default:
                throw new InvalidOperationException($"The instruction {_opcode} has a name but no meaning.");
        }
    }

    private void PushSequence(List<object?> items)
    {
        source.Budget.Keep(PickleBudget.ContainerBytes, _offset);
        _stack.Push(new PickleSequence(
            _opcode switch
            {
                PickleOpcode.EmptyList or PickleOpcode.List => SequenceKind.List,
                PickleOpcode.EmptySet => SequenceKind.Set,
                PickleOpcode.FrozenSet => SequenceKind.FrozenSet,
                _ => SequenceKind.Tuple,
            },
            items));
    }

    private void PushTuple(int count)
    {
        var items = new List<object?>(count);
        for (int i = 0; i < count; i++)
        {
            items.Add(_stack.Pop());
        }

        items.Reverse();
        PushSequence(items);
    }

    private void PushDictionary(List<object?> entries)
    {
        source.Budget.Keep(PickleBudget.ContainerBytes, _offset);
        _stack.Push(new PickleDictionary(DictionaryKind.Plain));
        SetEntries(entries);
    }

    private List<object?> Growing(SequenceKind kind) => _stack.Peek() is PickleSequence sequence && sequence.Kind == kind
        ? sequence.Items
        : throw PickleRefusals.Invalid(_opcode, $"adds to what is no {(kind == SequenceKind.List ? "list" : "set")}", _offset);

    private void SetEntries(List<object?> entries)
    {
        if (_stack.Peek() is not PickleDictionary dictionary)
        {
            throw PickleRefusals.Invalid(_opcode, "sets an entry of what is no dictionary", _offset);
        }

        if (entries.Count % 2 != 0)
        {
            throw PickleRefusals.Invalid(_opcode, "has a key without a value", _offset);
        }

        dictionary.Entries.AddRange(entries);
    }

    private void ReadProtocol()
    {
        int protocol = source.ReadByte();
        if (protocol > PickleOpcodes.HighestProtocol)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion, $"The pickle says that it is of protocol {protocol}; at most {PickleOpcodes.HighestProtocol} is read.", _offset);
        }

        trace.NoteProtocol(protocol);
    }

    private void ReadFrame()
    {
        long length = source.ReadInt64();
        if (length < 0 || length > source.Remaining)
        {
            throw new ModelFormatException(
                ModelFormatError.Truncated, $"The pickle announces {unchecked((ulong)length)} bytes at byte {_offset}, but has {source.Remaining} more. Was the file cut?", _offset);
        }
    }

    private string ReadName()
    {
        long start = source.Offset;
        string name = PickleSource.Decode(source.ReadLine(), start);
        return name.Length > 0 && !name.AsSpan().ContainsAny(s_noName)
            ? name
            : throw PickleRefusals.Invalid(_opcode, "names what can't be a module, function or class", _offset);
    }

    private void ReadStackGlobal()
    {
        object? name = _stack.Pop();
        object? module = _stack.Pop();
        if (module is not string moduleText || name is not string nameText)
        {
            throw PickleRefusals.Unsafe(_opcode, "names a function or class by something else than text", _offset);
        }

        PushGlobal(moduleText, nameText);
    }

    private void PushGlobal(string module, string name)
    {
        var global = HarmlessGlobals.Find(module, name)
            ?? throw PickleRefusals.Unsafe(_opcode, $"names '{PickleRefusals.Shorten(module)}.{PickleRefusals.Shorten(name)}'", _offset);
        trace.Note(global, _offset);
        _stack.Push(global);
    }

    private void Remember()
    {
        source.Budget.Keep(PickleBudget.MemoBytes, _offset);
        _memo[_opcode == PickleOpcode.Memoize ? (uint)_memo.Count : ReadMemoKey()] = _stack.Peek();
    }

    private void Recall()
    {
        uint key = ReadMemoKey();
        _stack.Push(_memo.TryGetValue(key, out object? value)
            ? value
            : throw PickleRefusals.Invalid(_opcode, $"asks for number {key} of the memo, which is not set", _offset));
    }

    private uint ReadMemoKey() => _opcode switch
    {
        PickleOpcode.BinPut or PickleOpcode.BinGet => source.ReadByte(),
        PickleOpcode.LongBinPut or PickleOpcode.LongBinGet => source.ReadUInt32(),
        _ => uint.TryParse(source.ReadLine(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out uint key)
            ? key
            : throw PickleRefusals.Invalid(_opcode, "has no number of the memo", _offset),
    };

    // Numbers chosen by the file would fall into one bucket if they were taken as they are; this hash has a secret of its own in each process.
    private sealed class SpreadKeys : IEqualityComparer<uint>
    {
        public bool Equals(uint x, uint y) => x == y;

        public int GetHashCode(uint obj) => HashCode.Combine(obj);
    }
}
