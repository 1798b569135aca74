using System.Runtime.InteropServices;
using Condense.Models;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Tests;

/// <summary>Small safetensors files made in code.</summary>
internal static class TestModels
{
    /// <summary>A tensor of f32.</summary>
    public static Tensor Tensor(string name, float[] values, params long[] shape) =>
        new(name, DType.F32, new TensorShape(shape), new MemoryTensorData(MemoryMarshal.AsBytes<float>(values).ToArray()));

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
