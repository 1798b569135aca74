using System.Runtime.InteropServices;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Tests;

/// <summary>Small safetensors files made in code.</summary>
internal static class TestModels
{
    /// <summary>A tensor of f32.</summary>
    public static Tensor Tensor(string name, float[] values, params long[] shape) =>
        new(name, DType.F32, new TensorShape(shape), new MemoryTensorData(MemoryMarshal.AsBytes<float>(values).ToArray()));

    /// <summary>A tensor of any type.</summary>
    public static Tensor Tensor<T>(string name, DType dtype, T[] values, params long[] shape)
        where T : unmanaged => new(name, dtype, new TensorShape(shape), new MemoryTensorData(MemoryMarshal.AsBytes<T>(values).ToArray()));

    /// <summary>Writes an ONNX file: one input <c>x</c>, the output of the last node, and nodes as <c>operator inputs → output</c>.</summary>
    public static async Task<string> WriteOnnxAsync(string path, Tensor[] initializers, params (string OpType, string[] Inputs, string Output)[] nodes)
    {
        var graph = new ModelGraph { Name = "g" };
        graph.Inputs.Add(new ValueInfo { Name = "x", DType = DType.F32, Shape = [new Dimension(4, ""), new Dimension(4, "")] });
        graph.Initializers.AddRange(initializers.Select(tensor => new Initializer(tensor)));
        foreach (var (operation, inputs, output) in nodes)
        {
            var node = new Node { OpType = operation };
            node.Inputs.AddRange(inputs);
            node.Outputs.Add(output);
            graph.Nodes.Add(node);
        }

        graph.Outputs.Add(new ValueInfo { Name = nodes[^1].Output, DType = DType.F32, Shape = [new Dimension(4, ""), new Dimension(4, "")] });
        var program = new GraphProgram { IrVersion = 8, Main = graph };
        program.Opsets.Add("", 17);
        using var model = new Model(ModelFormat.Onnx, [.. initializers], program, new Dictionary<string, string>(StringComparer.Ordinal), []);
        await ModelWriter.WriteAsync(model, path, CancellationToken.None);
        return path;
    }

    /// <summary>Gaussian entries, column j scaled by (j+1)^-decay: a spectrum that falls off like that.</summary>
    public static float[] Gaussian(int rows, int columns, double decay, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++)
        {
            double u = 1 - random.NextDouble();
            double v = random.NextDouble();
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v) * Math.Pow((i % columns) + 1, -decay));
        }

        return values;
    }

    /// <summary>Writes a safetensors file.</summary>
    public static async Task<string> WriteAsync(string path, params Tensor[] tensors)
    {
        using var model = new Model(ModelFormat.Safetensors, [.. tensors], program: null, new Dictionary<string, string>(StringComparer.Ordinal), []);
        await ModelWriter.WriteAsync(model, path, CancellationToken.None);
        return path;
    }
}
