using System.Collections.Immutable;
using Condense.Models.Graph;

namespace Condense.Models.Formats.Onnx;

/// <summary>Reads AttributeProto messages; subgraphs are put off to the graph reader's list.</summary>
/// <param name="reader">The file's reader.</param>
/// <param name="tensors">Reads tensors.</param>
/// <param name="sparse">Reads sparse tensors.</param>
/// <param name="budget">The limits.</param>
/// <param name="putOff">Takes a subgraph's range and depth, gives the graph that will be filled.</param>
internal sealed class AttributeReader(
    WireReader reader, OnnxTensorReader tensors, SparseTensorReader sparse, ReadBudget budget, Func<FileRange, int, ModelGraph> putOff)
{
    /// <summary>Reads the attribute of the last field.</summary>
    internal NodeAttribute Read()
    {
        budget.Item("attributes", reader.FieldStart);
        long outer = reader.Enter();
        long start = reader.Position;
        var content = new Content();
        while (reader.TryReadTag())
        {
            ReadField(content);
        }

        reader.Leave(outer);
        return content.ToAttribute(start);
    }

    private void ReadField(Content content)
    {
        switch (reader.Field)
        {
            case AttributeField.Name:
                content.Name = reader.ReadName();
                break;
            case AttributeField.DocString:
                content.DocString = reader.ReadText();
                break;
            case AttributeField.Reference:
                content.Reference = reader.ReadName();
                break;
            case AttributeField.Kind:
                content.Kind = reader.ReadInt64();
                break;
            default:
                ReadValue(content);
                break;
        }
    }

    private void ReadValue(Content content)
    {
        var kind = KindOf(reader.Field);
        if (kind != AttributeKind.Undefined)
        {
            content.Found(kind, reader.FieldStart);
        }

        switch (reader.Field)
        {
            case AttributeField.Float:
                content.Floats.Add(reader.ReadSingle());
                break;
            case AttributeField.Floats:
                reader.ReadSingles(content.Floats);
                break;
            case AttributeField.Int:
                content.Ints.Add(reader.ReadInt64());
                break;
            case AttributeField.Ints:
                reader.ReadInt64s(content.Ints);
                break;
            case AttributeField.String or AttributeField.Strings:
                content.Strings.Add([.. reader.Copy(reader.ReadRange())]);
                break;
            case AttributeField.Tensor or AttributeField.Tensors:
                content.Tensors.Add(tensors.Read());
                break;
            case AttributeField.Graph or AttributeField.Graphs:
                content.Graphs.Add(putOff(reader.ReadRange(), reader.Depth + 1));
                break;
            case AttributeField.SparseTensor or AttributeField.SparseTensors:
                content.Unknown.Add(sparse.Read(out _));
                break;
            case AttributeField.TypeProto or AttributeField.TypeProtos:
                long start = reader.FieldStart;
                long outer = reader.Enter();
                OnnxTypes.Read(reader, budget);
                reader.Leave(outer);
                content.Unknown.Add(reader.Copy(new(start, reader.Position - start)));
                break;
            default:
                content.Unknown.Keep(reader);
                break;
        }
    }

    private static AttributeKind KindOf(int field) => field switch
    {
        AttributeField.Float => AttributeKind.Float,
        AttributeField.Int => AttributeKind.Int,
        AttributeField.String => AttributeKind.String,
        AttributeField.Tensor => AttributeKind.Tensor,
        AttributeField.Graph => AttributeKind.Graph,
        AttributeField.Floats => AttributeKind.Floats,
        AttributeField.Ints => AttributeKind.Ints,
        AttributeField.Strings => AttributeKind.Strings,
        AttributeField.Tensors => AttributeKind.Tensors,
        AttributeField.Graphs => AttributeKind.Graphs,
        AttributeField.SparseTensor => AttributeKind.SparseTensor,
        AttributeField.SparseTensors => AttributeKind.SparseTensors,
        AttributeField.TypeProto => AttributeKind.TypeProto,
        AttributeField.TypeProtos => AttributeKind.TypeProtos,
        _ => AttributeKind.Undefined,
    };

    private sealed class Content
    {
        private AttributeKind _found;

        internal string Name { get; set; } = "";

        internal string DocString { get; set; } = "";

        internal string Reference { get; set; } = "";

        internal long Kind { get; set; }

        internal List<long> Ints { get; } = [];

        internal List<float> Floats { get; } = [];

        internal List<ImmutableArray<byte>> Strings { get; } = [];

        internal List<Initializer> Tensors { get; } = [];

        internal List<ModelGraph> Graphs { get; } = [];

        internal UnknownFields Unknown { get; } = new();

        internal void Found(AttributeKind kind, long offset)
        {
            bool single = kind is AttributeKind.Float or AttributeKind.Int or AttributeKind.String or AttributeKind.Tensor or AttributeKind.Graph
                or AttributeKind.SparseTensor or AttributeKind.TypeProto;
            if (_found != AttributeKind.Undefined && (single || _found != kind))
            {
                throw Invalid($"holds more than one value of {_found} and {kind}", offset);
            }

            _found = kind;
        }

        internal NodeAttribute ToAttribute(long start)
        {
            if (Kind is < 0 or > (long)AttributeKind.TypeProtos)
            {
                throw Invalid($"is of the unknown kind {Kind}", start);
            }

            var kind = (AttributeKind)Kind;
            if (_found != AttributeKind.Undefined && kind != AttributeKind.Undefined && kind != _found)
            {
                throw Invalid($"says that it holds {kind} but holds {_found}", start);
            }

            if (_found == AttributeKind.Undefined && Reference.Length == 0)
            {
                AddDefault(kind, start);
            }

            return new NodeAttribute
            {
                Name = Name,
                Kind = kind == AttributeKind.Undefined ? _found : kind,
                DocString = DocString,
                Reference = Reference,
                Ints = [.. Ints],
                Floats = [.. Floats],
                Strings = [.. Strings],
                Tensors = [.. Tensors],
                Graphs = [.. Graphs],
                Unknown = Unknown.ToImmutable(),
            };
        }

        // Encoders of protocol buffers 3 leave out zeros and empty texts.
        private void AddDefault(AttributeKind kind, long start)
        {
            switch (kind)
            {
                case AttributeKind.Float:
                    Floats.Add(0);
                    break;
                case AttributeKind.Int:
                    Ints.Add(0);
                    break;
                case AttributeKind.String:
                    Strings.Add([]);
                    break;
                case AttributeKind.Tensor or AttributeKind.Graph or AttributeKind.SparseTensor or AttributeKind.TypeProto:
                    throw Invalid($"says that it holds {kind} but holds nothing", start);
            }
        }

        private ModelFormatException Invalid(string what, long offset) =>
            new(ModelFormatError.InvalidGraph, $"Attribute '{Name}' {what}.", offset);
    }
}
