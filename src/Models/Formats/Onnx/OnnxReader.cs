using System.Collections.Immutable;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Onnx;

/// <summary>Reads ONNX files: the structure into memory, the weights left where they are.</summary>
/// <remarks><see href="https://onnx.ai/onnx/repo-docs/IR.html"/>.</remarks>
internal static class OnnxReader
{
    private const long MinIrVersion = 3;
    private const long MaxIrVersion = 13;

    /// <summary>Reads what the file says outside its graph, which is passed by. O(fields).</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The file is broken.</exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    internal static ModelIdentity Identify(ModelParts parts, ReadLimits limits)
    {
        using var handle = File.OpenHandle(parts.MainPath, options: FileOptions.RandomAccess);
        var reader = OpenReader(handle, new ReadBudget(limits), out _);
        long irVersion = 0;
        string producer = "";
        string version = "";
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case ModelField.IrVersion:
                    irVersion = reader.ReadInt64();
                    break;
                case ModelField.ProducerName:
                    producer = reader.ReadName();
                    break;
                case ModelField.ProducerVersion:
                    version = reader.ReadName();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        CheckIrVersion(irVersion);
        return new(ModelFormat.Onnx, TensorCount: null, irVersion, $"{producer} {version}".Trim());
    }

    /// <summary>Reads a model. O(structure) time and memory; elements in variable-length integers are walked once, to be counted.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A file is broken or hostile.</exception>
    /// <exception cref="IOException">A file can't be opened.</exception>
    internal static Model Read(ModelParts parts, ReadLimits limits) => Read(parts, limits, references: null);

    /// <summary>The names of the parts that a model's tensors lie in, whether they were given or not; none is opened. O(structure).</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The file is broken or hostile.</exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    internal static IReadOnlyCollection<string> References(ModelParts parts, ReadLimits limits)
    {
        var references = new SortedSet<string>(StringComparer.Ordinal);
        Read(parts, limits, references).Dispose();
        return references;
    }

    private static Model Read(ModelParts parts, ReadLimits limits, ISet<string>? references)
    {
        var opened = new List<IDisposable>();
        try
        {
            var handle = File.OpenHandle(parts.MainPath, options: FileOptions.RandomAccess);
            opened.Add(handle);
            var budget = new ReadBudget(limits);
            var reader = OpenReader(handle, budget, out var file);
            var kept = new OnnxGraphReader(reader, new OnnxTensorReader(reader, handle, file, external: null, budget), budget, kept: null);
            var external = new ExternalData(parts, opened, references);
            var tensors = new OnnxTensorReader(reader, handle, file, external, budget);
            var program = ReadProgram(reader, budget, new OnnxGraphReader(reader, tensors, budget, kept), kept);
            return new Model(ModelFormat.Onnx, AllTensors(program), program, ToDictionary(program.Metadata), [.. opened])
            {
                UsedParts = [.. external.UsedParts],
            };
        }
        catch
        {
            foreach (var file in opened)
            {
                file.Dispose();
            }

            throw;
        }
    }

    private static WireReader OpenReader(SafeFileHandle handle, ReadBudget budget, out TensorData file)
    {
        long length = RandomAccess.GetLength(handle);
        if (length == 0)
        {
            throw new ModelFormatException(ModelFormatError.EmptyFile, "The file has no bytes.", offset: 0);
        }

        file = new FileTensorData(handle, 0, length);
        return new WireReader(file, budget);
    }

    private static GraphProgram ReadProgram(WireReader reader, ReadBudget budget, OnnxGraphReader graphs, OnnxGraphReader kept)
    {
        ModelGraph? main = null;
        var program = new GraphProgram { Main = new ModelGraph() };
        var unknown = new UnknownFields();
        while (reader.TryReadTag())
        {
            if (reader.Field == ModelField.Graph)
            {
                main = main is null
                    ? graphs.Read()
                    : throw new ModelFormatException(ModelFormatError.InvalidGraph, "The model has two main graphs.", reader.FieldStart);
            }
            else
            {
                ReadField(reader, budget, program, unknown, graphs, kept);
            }
        }

        CheckIrVersion(program.IrVersion);
        if (program.Opsets.Count == 0)
        {
            throw new ModelFormatException(ModelFormatError.UnsupportedVersion, "The model imports no operator set.", offset: 0);
        }

        program.Main = main ?? throw new ModelFormatException(ModelFormatError.InvalidGraph, "The model has no graph.", offset: 0);
        program.Unknown = unknown.ToImmutable();
        return program;
    }

    private static void ReadField(
        WireReader reader, ReadBudget budget, GraphProgram program, UnknownFields unknown, OnnxGraphReader graphs, OnnxGraphReader kept)
    {
        switch (reader.Field)
        {
            case ModelField.IrVersion:
                program.IrVersion = reader.ReadInt64();
                break;
            case ModelField.ProducerName:
                program.ProducerName = reader.ReadName();
                break;
            case ModelField.ProducerVersion:
                program.ProducerVersion = reader.ReadName();
                break;
            case ModelField.Domain:
                program.Domain = reader.ReadName();
                break;
            case ModelField.ModelVersion:
                program.ModelVersion = reader.ReadInt64();
                break;
            case ModelField.DocString:
                program.DocString = reader.ReadText();
                break;
            case ModelField.OpsetImport:
                OpsetReader.Read(reader, budget, program.Opsets);
                break;
            case ModelField.Metadata:
                program.Metadata.Add(reader.ReadEntry());
                break;
            case ModelField.Functions:
                program.Functions.Add(graphs.ReadFunction());
                break;
            case ModelField.TrainingInfo:
                unknown.Add(CheckTraining(reader, kept));
                break;
            default:
                unknown.Keep(reader);
                break;
        }
    }

    // Training graphs are kept as bytes, but read once: they must be sound and must not refer to other files.
    private static byte[] CheckTraining(WireReader reader, OnnxGraphReader kept)
    {
        long start = reader.FieldStart;
        long outer = reader.Enter();
        while (reader.TryReadTag())
        {
            if (reader.Field is TrainingField.Initialization or TrainingField.Algorithm)
            {
                kept.Read();
            }
            else
            {
                reader.Skip();
            }
        }

        reader.Leave(outer);
        return reader.Copy(new(start, reader.Position - start));
    }

    private static void CheckIrVersion(long version)
    {
        if (version is < MinIrVersion or > MaxIrVersion)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion,
                $"The file's IR version is {version}; {MinIrVersion} to {MaxIrVersion} are read. Is it an ONNX file?",
                offset: 0);
        }
    }

    /// <summary>Every tensor of a program: graph by graph, those in nodes before the initializers.</summary>
    /// <param name="program">The program.</param>
    internal static ImmutableArray<Tensor> AllTensors(GraphProgram program)
    {
        var tensors = ImmutableArray.CreateBuilder<Tensor>();
        foreach (var graph in program.AllGraphs())
        {
            var inNodes = graph.Nodes.SelectMany(node => node.Attributes).SelectMany(attribute => attribute.Tensors);
            tensors.AddRange(inNodes.Concat(graph.Initializers).Select(initializer => initializer.Tensor));
        }

        return tensors.ToImmutable();
    }

    private static Dictionary<string, string> ToDictionary(List<KeyValuePair<string, string>> metadata)
    {
        var dictionary = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in metadata)
        {
            dictionary[key] = value;
        }

        return dictionary;
    }
}
