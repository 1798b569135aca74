using Condense.Models.Formats.Onnx;
using Xunit;

namespace Condense.Models.Tests.Formats.Onnx;

/// <summary>A folder that is deleted again, with a model's files.</summary>
public sealed class ModelFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("condense-onnx-").FullName;

    public string PathOf(string name) => Path.Combine(Root, name);

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(PathOf(name), bytes);
        return PathOf(name);
    }

    public Model Read(ProtoMessage model, ReadLimits? limits = null) => Read(model.ToArray(), limits);

    public Model Read(byte[] model, ReadLimits? limits = null) =>
        OnnxReader.Read(ModelParts.Beside(Write("model.onnx", model)), limits ?? ReadLimits.Default);

    public ModelFormatException Refused(ProtoMessage model, ReadLimits? limits = null) => Refused(model.ToArray(), limits);

    public ModelFormatException Refused(byte[] model, ReadLimits? limits = null) =>
        Assert.Throws<ModelFormatException>(() => Read(model, limits).Dispose());

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
