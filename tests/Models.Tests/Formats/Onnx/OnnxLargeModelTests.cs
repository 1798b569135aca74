using System.Globalization;
using Condense.Models.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxLargeModelTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_past_the_limit_of_a_file_gets_a_second_one()
    {
        // Four tensors of 1 KiB or more, in all kinds of places, and small ones.
        var constant = Node("Constant", [], ["c"], "", TensorAttribute("value", FloatTensor("", 20, 30)));
        var branch = GraphOf(constant).Message(5, FloatTensor("inner", 16, 16)).Message(5, FloatTensor("tiny", 2));
        var graph = GraphOf(constant, Node("If", ["x"], ["y"], "", GraphAttribute("then_branch", branch))).Message(5, FloatTensor("w", 100, 100));
        using var model = _folder.Read(ModelOf(graph));
        var token = TestContext.Current.CancellationToken;
        string path = _folder.PathOf("large.onnx");

        var paths = await OnnxWriter.WriteAsync(model, path, maxFileBytes: 10_000, token);
        using var again = OnnxReader.Read(ModelParts.Beside(path), ReadLimits.Default);

        Assert.Equal([path, path + ".data"], paths);
        Assert.Equal(paths.Sum(file => new FileInfo(file).Length), OnnxWriter.Measure(model, maxFileBytes: 10_000));
        Assert.InRange(new FileInfo(path).Length, 1, 10_000);
        Assert.Equal(ProgramText.Of(model.Program!), ProgramText.Of(again.Program!));

        // The small ones stay in the main file, the others begin on pages.
        byte[] main = await File.ReadAllBytesAsync(path, token);
        string text = System.Text.Encoding.Latin1.GetString(main);
        Assert.Equal(4, text.Split("large.onnx.data").Length - 1);
        foreach (int offset in new[] { 0, 4096, 45_056, 49_152 })
        {
            Assert.Contains($"\u0012{(char)offset.ToString(CultureInfo.InvariantCulture).Length}{offset}", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_total_does_not_hang_on_the_name()
    {
        using var model = _folder.Read(ModelOf(GraphOf().Message(5, FloatTensor("w", 100, 100)).Message(5, FloatTensor("v", 100, 100))));
        foreach (string name in new[] { "m", "a-rather-longer-name-of-a-model.onnx" })
        {
            var paths = await OnnxWriter.WriteAsync(model, _folder.PathOf(name), maxFileBytes: 10_000, TestContext.Current.CancellationToken);
            Assert.Equal(OnnxWriter.Measure(model, maxFileBytes: 10_000), paths.Sum(file => new FileInfo(file).Length));
        }
    }

    [Fact]
    public void A_part_of_3_GiB_opens_in_little_memory_and_is_measured_without_being_read()
    {
        // A file with a hole: it takes no room on the disk.
        const long Rows = 786_432;
        using (var stream = File.Create(_folder.PathOf("weights.bin")))
        {
            stream.SetLength(Rows * 1024 * 4);
            stream.Position = stream.Length - 1;
            stream.WriteByte(0x40);
        }

        byte[] bytes = ModelOf(GraphOf().Message(5, ExternalTensor("w", Rows, 1024, ("location", "weights.bin")))).ToArray();
        _folder.Read(bytes).Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var model = _folder.Read(bytes);
        long measured = OnnxWriter.Measure(model);
        byte[] last = new byte[4];
        model.Tensors[0].Data.Read((Rows * 1024 * 4) - 4, last);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
        Assert.Equal(2f, BitConverter.ToSingle(last));
        Assert.InRange(measured - (Rows * 1024 * 4), 100, 1000);
    }
}
