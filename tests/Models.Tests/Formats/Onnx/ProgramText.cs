using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Condense.Models.Graph;

namespace Condense.Models.Tests.Formats.Onnx;

/// <summary>Everything that a program holds as lines of text, the elements of tensors too, so that two programs can be compared.</summary>
public static class ProgramText
{
    public static string Of(GraphProgram program)
    {
        var text = new StringBuilder();
        Line(text, $"ir {program.IrVersion} producer {program.ProducerName} {program.ProducerVersion}");
        Line(text, $"{program.Domain} {program.ModelVersion} {program.DocString}");
        Line(text, $"opsets {string.Join(',', program.Opsets)} metadata {string.Join(',', program.Metadata)} unknown {Hex(program.Unknown)}");
        AddGraph(text, program.Main);
        foreach (var function in program.Functions)
        {
            Line(text, $"function {function.Domain}.{function.Name}.{function.Overload} {function.DocString} opsets {string.Join(',', function.Opsets)}");
            Line(text, $"({string.Join(',', function.Inputs)}) ({string.Join(',', function.Outputs)})");
            Line(text, $"({string.Join(',', function.Attributes)}) {Hex(function.Unknown)}");
            AddGraph(text, function.Body);
        }

        return text.ToString();
    }

    private static void AddGraph(StringBuilder text, ModelGraph graph)
    {
        Line(text, $"graph {graph.Name} {graph.DocString} {Hex(graph.Unknown)}");
        graph.Initializers.ForEach(initializer => AddTensor(text, initializer));
        foreach (var value in graph.Inputs.Concat(graph.Outputs).Concat(graph.Values))
        {
            string shape = value.Shape.IsDefault ? "none" : string.Join(',', value.Shape);
            Line(text, $"value {value.Name} {value.DType} {shape} {value.DocString} {Hex(value.Encoded)} {Hex(value.Unknown)}");
        }

        foreach (var node in graph.Nodes)
        {
            Line(text, $"node {node.Name} {node.Domain}.{node.OpType}.{node.Overload} ({string.Join(',', node.Inputs)}) ({string.Join(',', node.Outputs)})");
            Line(text, $"{node.DocString} {Hex(node.Unknown)}");
            foreach (var attribute in node.Attributes)
            {
                string strings = string.Join(',', attribute.Strings.Select(Hex));
                Line(text, $"{attribute.Name} {attribute.Kind} {attribute.DocString} {attribute.Reference} {strings} {Hex(attribute.Unknown)}");
                Line(text, $"[{string.Join(',', attribute.Ints)}] [{string.Join(',', attribute.Floats)}]");
                attribute.Tensors.ToList().ForEach(tensor => AddTensor(text, tensor));
                attribute.Graphs.ToList().ForEach(inner => AddGraph(text, inner));
            }
        }
    }

    private static void AddTensor(StringBuilder text, Initializer initializer)
    {
        var tensor = initializer.Tensor;
        byte[] data = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, data);
        Line(text, $"tensor {tensor.Name} {tensor.DType} {tensor.Shape} {Hex([.. data])} {initializer.DocString} {Hex(initializer.Unknown)}");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));

    private static string Hex(ImmutableArray<byte> bytes) => Convert.ToHexString(bytes.AsSpan());
}
