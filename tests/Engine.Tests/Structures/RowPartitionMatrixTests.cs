using System.Text.Json;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Structures;

public sealed class RowPartitionMatrixTests
{
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web);

    public static TheoryData<string> Leaves => ["f32", "f16", "int8", "uint8 groups", "product"];

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Every_composition_agrees_with_its_entries(string second)
    {
        foreach (string first in Leaves.Select(row => row.Data))
        {
            foreach (var (top, bottom, n) in new[] { (1, 1, 1), (300, 7, 33), (5, 270, 40), (3, 2, 0) })
            {
                StructureLaws.AssertConsistent(new RowPartitionMatrix([Leaf(first, top, n, 1), Leaf(second, bottom, n, 2)]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Rows_in_another_order_agree_with_their_entries(string second)
    {
        int[] places = [.. Enumerable.Range(0, 307)];
        new Random(5).Shuffle(places);
        var partition = new RowPartitionMatrix([Leaf("f32", 300, 33, 1), Leaf(second, 7, 33, 2)], places);
        StructureLaws.AssertConsistent(partition);
        var stacked = new RowPartitionMatrix(partition.Blocks);
        for (int row = 0; row < 307; row++)
        {
            Assert.Equal(stacked.ToDense().Row(places[row]).ToArray(), partition.ToDense().Row(row).ToArray());
        }

        Assert.Equal(stacked.StorageBits + (32 * 307), partition.StorageBits);
        Assert.Equal(stacked.Form.ParameterCount, partition.Form.ParameterCount);
        Assert.NotEqual(stacked.Form, partition.Form);
        Assert.NotEqual(stacked.Form.ToString(), partition.Form.ToString());
    }

    [Theory]
    [InlineData("3 places for 4 rows", 0, 1, 2)]
    [InlineData("Row 3 has place 1 of 4", 0, 1, 2, 1)]
    [InlineData("Row 0 has place 4 of 4", 4, 1, 2, 0)]
    [InlineData("Row 1 has place -1 of 4", 0, -1, 2, 3)]
    public void Places_that_are_not_each_rows_once_are_refused(string said, params int[] places)
    {
        var exception = Assert.Throws<ArgumentException>(() => new RowPartitionMatrix([Leaf("f32", 3, 4, 1), Leaf("f32", 1, 4, 2)], places));
        Assert.Contains(said, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_stand_in_the_order_of_the_blocks()
    {
        StructuredMatrix[] blocks = [.. Leaves.Select((row, i) => Leaf(row.Data, i + 1, 6, i))];
        var partition = new RowPartitionMatrix(blocks);
        float[] expected = [.. blocks.SelectMany(block => block.ToDense().Values)];
        Assert.Equal(expected, partition.ToDense().Values);
        Assert.Equal(blocks, partition.Blocks);
    }

    [Fact]
    public void Rows_are_gathered_from_every_block_in_the_order_of_the_ids()
    {
        var values = Samples.Normal(10, 3, 4);
        var partition = new RowPartitionMatrix([Part(values, 0, 1), Part(values, 1, 5), Part(values, 6, 4)]);
        int[] ids = [9, 0, 5, 6, 1, 5, 9, 0];
        Assert.Equal(ids.SelectMany(id => values.Row(id).ToArray()), partition.GatherRows(ids).Values);
        Assert.Equal(values.Row(6).ToArray(), partition.GatherRows([6]).Values);
        Assert.Empty(partition.GatherRows([]).Values);
    }

    [Fact]
    public void Storage_and_operations_are_those_of_the_blocks()
    {
        var form = (RowPartitionForm)new RowPartitionMatrix([Leaf("f16", 3, 20, 1), Leaf("int8", 7, 20, 2), Leaf("product", 5, 20, 3)]).Form;
        Assert.Equal((15, 20), (form.Rows, form.Columns));
        Assert.Equal((60 * 16) + (140 * 8) + (7 * 32) + (10 * 32) + (40 * 8) + (2 * 32), form.StorageBits);
        Assert.Equal(60 + 140 + 10 + 40, form.ParameterCount);
        Assert.Equal(60 + 140 + 10 + 40, form.MultiplyAddsPerColumn);
    }

    [Fact]
    public void Forms_are_equal_when_their_blocks_are()
    {
        var form = Form(3, 7);
        Assert.Equal(form, Form(3, 7));
        Assert.Equal(form.GetHashCode(), Form(3, 7).GetHashCode());
        Assert.NotEqual(form, Form(4, 6));
        Assert.NotEqual(form, new RowPartitionForm([.. form.Blocks.Reverse()]));
        Assert.False(form.Equals(null));
    }

    [Fact]
    public void The_text_of_a_form_names_every_block()
    {
        var form = Form(3, 7);
        Assert.Contains($"Blocks = [{form.Blocks[0]}, {form.Blocks[1]}]", form.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("RowPartitionForm { Rows = 10, Columns = 20,", form.ToString(), StringComparison.Ordinal);
        Assert.NotEqual(form.ToString(), Form(4, 6).ToString());
    }

    [Fact]
    public void A_form_survives_json()
    {
        StructureForm form = new RowPartitionForm([
            Form(3, 7).Blocks[0],
            Form(3, 7).Blocks[1],
            new ProductForm(new DenseForm(5, 2, FloatFormat.F32), new DenseForm(2, 20, FloatFormat.BF16))]);
        string text = JsonSerializer.Serialize(form, s_web);
        Assert.StartsWith("""{"structure":"rowPartition","blocks":[{"structure":"dense",""", text, StringComparison.Ordinal);
        Assert.DoesNotContain("permuted", text, StringComparison.Ordinal);
        Assert.Equal(form, JsonSerializer.Deserialize<StructureForm>(text, s_web));
        StructureForm permuted = new RowPartitionForm(((RowPartitionForm)form).Blocks, permuted: true);
        Assert.Equal(permuted, JsonSerializer.Deserialize<StructureForm>(JsonSerializer.Serialize(permuted, s_web), s_web));
    }

    [Fact]
    public void What_breaks_a_law_is_refused_with_the_law()
    {
        AssertRefused("two blocks", new DenseForm(3, 4, FloatFormat.F32));
        AssertRefused("Block 1 has no rows", new DenseForm(3, 4, FloatFormat.F32), new DenseForm(0, 4, FloatFormat.F32));
        AssertRefused("equally wide", new DenseForm(3, 4, FloatFormat.F32), new DenseForm(3, 5, FloatFormat.F32));
        AssertRefused("4294967294 rows", new DenseForm(int.MaxValue, 4, FloatFormat.F32), new DenseForm(int.MaxValue, 4, FloatFormat.F32));
        Assert.Throws<ArgumentException>(() => new RowPartitionMatrix([Leaf("f32", 3, 4, 1), Leaf("f32", 3, 5, 1)]));
    }

    private static void AssertRefused(string part, params StructureForm[] blocks) =>
        Assert.Contains(part, Assert.Throws<ArgumentException>(() => new RowPartitionForm(blocks)).Message, StringComparison.Ordinal);

    private static RowPartitionForm Form(int first, int second) => new([
        new DenseForm(first, 20, FloatFormat.F16),
        new QuantizedForm(second, 20, 8, symmetric: true, QuantizationGranularity.PerRow)]);

    private static DenseMatrix Part(Matrix values, int start, int rows) =>
        new(new Matrix(rows, values.Columns, values.Values[(start * values.Columns)..((start + rows) * values.Columns)]), FloatFormat.F32);

    private static StructuredMatrix Leaf(string kind, int rows, int columns, int seed)
    {
        var values = Samples.Normal(rows, columns, seed);
        return kind switch
        {
            "f32" => new DenseMatrix(values, FloatFormat.F32),
            "f16" => new DenseMatrix(values, FloatFormat.F16),
            "int8" => RoundToNearest.Quantize(values, new QuantizedForm(rows, columns, 8, true, QuantizationGranularity.PerRow)),
            "uint8 groups" => RoundToNearest.Quantize(values, new QuantizedForm(rows, columns, 8, false, QuantizationGranularity.PerGroup, 4)),
            _ => new ProductMatrix(Leaf("f32", rows, 2, seed), Leaf("int8", 2, columns, seed + 1)),
        };
    }
}
