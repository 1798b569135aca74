using System.Buffers.Binary;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

public sealed class StructureTensorsTests
{
    public static TheoryData<string> Names { get; } = [.. SampleStructures.Forms.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_bits_of_the_tensors_are_the_storage_bits(string name)
    {
        var structure = SampleStructures.Make(name);
        Assert.Equal(structure.StorageBits, 8 * StructureTensors.Write(structure, "w").Sum(tensor => tensor.Data.ByteLength));
        Assert.Equal(structure.StorageBits, StructureTensors.Slots(structure.Form).Sum(slot => slot.Shape.ElementCount * slot.DType.BitsPerElement()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_structure_is_put_together_again_bit_for_bit(string name)
    {
        var structure = SampleStructures.Make(name);
        var tensors = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        var read = StructureTensors.Read(structure.Form, suffix => tensors[suffix]);
        Assert.Equal(structure.Form, read.Form);
        Assert.Equal(structure.ToDense().Values, read.ToDense().Values);
    }

    [Fact]
    public void Names_and_types_are_those_that_the_format_describes()
    {
        string[] Describe(string name) => [.. StructureTensors.Write(SampleStructures.Make(name), "w").Select(tensor => $"{tensor.Name} {tensor.DType} {tensor.Shape}")];
        Assert.Equal(["w F16 6×10"], Describe("f16"));
        Assert.Equal(["w.lr_u F32 6×2", "w.lr_v F16 2×10"], Describe("factors"));
        Assert.Equal(["w.q I8 6×10", "w.scale F32 1"], Describe("signed tensor"));
        Assert.Equal(["w.q I8 6×10", "w.scale F32 6"], Describe("signed rows"));
        Assert.Equal(["w.q U8 6×10", "w.scale F32 10", "w.zp U8 10"], Describe("unsigned columns"));
        Assert.Equal(["w.q U8 6×10", "w.scale F32 6×3", "w.zp U8 6×3"], Describe("unsigned groups"));
        Assert.Equal(["w.q U8 30", "w.scale F32 6×3"], Describe("signed int4 groups"));
        Assert.Equal(["w.q U8 30", "w.scale F32 6×3", "w.zp U8 9"], Describe("unsigned int4 groups"));
        Assert.Equal(["w.q U8 23", "w.scale F32 6"], Describe("signed int3 rows"));
        Assert.Equal(["w.q U8 38", "w.scale F32 10", "w.zp U8 7"], Describe("unsigned int5 columns"));
        Assert.Equal(["w.q I8 6×10", "w.scale F32 6"], Describe("signed int6 in bytes"));
        Assert.Equal(["w.q U8 15", "w.scale F32 1", "w.zp U8 1"], Describe("unsigned int2 tensor"));
        Assert.Equal(
            ["w.lr_u.q I8 6×2", "w.lr_u.scale F32 6", "w.lr_v.q U8 2×10", "w.lr_v.scale F32 2×3", "w.lr_v.zp U8 2×3"], Describe("quantized factors"));
    }

    [Theory]
    [InlineData(FloatFormat.F32, DType.F32)]
    [InlineData(FloatFormat.F16, DType.F16)]
    [InlineData(FloatFormat.BF16, DType.BF16)]
    public void Floats_are_read_in_parts_that_begin_and_end_anywhere(FloatFormat format, DType type)
    {
        // More than one chunk of the conversion.
        float[] values = [.. Enumerable.Range(0, 3000).Select(i => i - 1500.5f)];
        var tensor = StructureTensors.Write(new DenseMatrix(new Matrix(30, 100, values), format), "w").Single();
        Assert.Equal(type, tensor.DType);
        byte[] whole = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, whole);
        Assert.Equal(format == FloatFormat.F32 ? -1500.5f : format == FloatFormat.F16 ? -1500f : -1504f, First(whole, type));
        foreach (int length in (int[])[1, 2, 3, 5, 2047, 2049, 4099])
        {
            byte[] parts = new byte[whole.Length];
            for (int offset = 0; offset < parts.Length; offset += length)
            {
                tensor.Data.Read(offset, parts.AsSpan(offset, Math.Min(length, parts.Length - offset)));
            }

            Assert.Equal(whole, parts);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Data.Read(whole.Length - 1, new byte[2]));
    }

    [Fact]
    public void A_tensor_of_another_length_is_the_files_fault()
    {
        var exception = Assert.Throws<ModelFormatException>(
            () => StructureTensors.Read(SampleStructures.Forms["factors"], _ => new MemoryTensorData(new byte[48])));
        Assert.Equal(ModelFormatError.TensorInvalidInfo, exception.Code);
        Assert.Contains(".lr_v", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_codes_lie_two_to_a_byte_with_the_first_in_the_low_nibble()
    {
        var form = new QuantizedForm(1, 3, 4, symmetric: true, QuantizationGranularity.PerTensor);
        var tensors = StructureTensors.Write(new QuantizedMatrix(form, [0x01, 0xFE, 0x07], [0.5f], []), "w");
        byte[] bytes = new byte[2];
        tensors[0].Data.Read(0, bytes);
        Assert.Equal([0xE1, 0x07], bytes);
        var read = StructureTensors.Read(form, suffix => suffix is ".q" ? new MemoryTensorData(new byte[] { 0xE1, 0x07 }) : tensors[1].Data);
        Assert.Equal([0.5f, -1f, 3.5f], read.ToDense().Values);
    }

    [Fact]
    public void A_packed_code_that_symmetric_codes_do_not_have_is_the_files_fault()
    {
        var form = new QuantizedForm(1, 2, 4, symmetric: true, QuantizationGranularity.PerTensor);
        byte[] scale = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(scale, 1);
        var exception = Assert.Throws<ModelFormatException>(() => StructureTensors.Read(form, suffix => new MemoryTensorData(suffix is ".q" ? [0x81] : scale)));
        Assert.Contains("Code (0, 1) is -8", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scale_that_is_no_number_is_the_files_fault()
    {
        var form = SampleStructures.Forms["signed tensor"];
        byte[] scale = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(scale, float.NaN);
        Assert.Throws<ModelFormatException>(() => StructureTensors.Read(form, suffix => new MemoryTensorData(suffix is ".q" ? new byte[60] : scale)));
    }

    private static float First(byte[] bytes, DType type) => type switch
    {
        DType.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        DType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(bytes) << 16),
    };
}
