using System.Text;
using Condense.Models.Tests.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats;

public sealed class ReferencesTests
{
    [Fact]
    public void A_graph_refers_to_the_parts_of_its_tensors_wherever_they_stand()
    {
        using var folder = new ModelFolder();
        var branch = GraphOf(Node("Identity", ["inner"], ["y"])).Message(5, ExternalTensor("inner", 2, 2, ("location", "c.bin"))).Message(12, Value("y"));
        var graph = GraphOf(
                Node("Constant", [], ["k"], "", TensorAttribute("value", ExternalTensor("k", 2, 2, ("location", "b.bin"), ("offset", "4096")))),
                Node("If", ["condition"], ["z"], "", GraphAttribute("then_branch", branch), GraphAttribute("else_branch", GraphOf())))
            .Message(5, ExternalTensor("w", 4, 4, ("location", "a.bin")))
            .Message(5, ExternalTensor("v", 4, 4, ("location", "a.bin"), ("offset", "64")));

        // None of them is there.
        Assert.Equal(["a.bin", "b.bin", "c.bin"], Of(folder.Write("model.onnx", ModelOf(graph).ToArray())));
        Assert.Empty(Of(folder.Write("alone.onnx", ModelOf(GraphOf()).ToArray())));
    }

    [Theory]
    [InlineData("../a.bin")]
    [InlineData("a/b.bin")]
    [InlineData("C:a.bin")]
    public void A_place_outside_is_refused(string location)
    {
        using var folder = new ModelFolder();
        string path = folder.Write("model.onnx", ModelOf(GraphOf().Message(5, ExternalTensor("w", 4, 4, ("location", location)))).ToArray());
        Assert.Equal(ModelFormatError.UnsafeExternalData, Assert.Throws<ModelFormatException>(() => Of(path)).Code);
    }

    [Fact]
    public void An_index_refers_to_its_shards_and_a_file_of_tensors_to_none()
    {
        using var folder = new ModelFolder();
        string index = folder.Write("index", Encoding.UTF8.GetBytes("""{"weight_map":{"a":"2.safetensors","b":"1.safetensors","c":"2.safetensors"}}"""));
        Assert.Equal(["1.safetensors", "2.safetensors"], Of(index));
        string tensors = folder.Write("tensors", [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        Assert.Empty(Of(tensors));
    }

    private static IReadOnlyCollection<string> Of(string path) => ModelReader.References(ModelParts.Single(path), ReadLimits.Default);
}
