using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>
/// What a file says of its structured layers: one JSON text under one key, <c>{"version":1,"layers":[…]}</c>, in safetensors' <c>__metadata__</c> and
/// in ONNX's <c>metadata_props</c>.
/// </summary>
internal static class StructureMetadata
{
    /// <summary>The metadata's key.</summary>
    public const string Key = "condense";

    private const int Version = 1;

    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters =
        {
            new JsonStringEnumConverter<DType>(namingPolicy: null, allowIntegerValues: false),
            new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
        },
    };

    /// <summary>The records of a model; none when it has no such metadata.</summary>
    /// <param name="metadata">The model's metadata.</param>
    /// <exception cref="ModelFormatException">The text is not what <see cref="Write"/> makes.</exception>
    public static ImmutableArray<LayerRecord> Read(IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue(Key, out string? text))
        {
            return [];
        }

        Document? document;
        try
        {
            document = JsonSerializer.Deserialize<Document>(text, s_options);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or OverflowException or NotSupportedException)
        {
            throw Broken($"it can't be read: {exception.Message}", exception);
        }

        if (document is null || document.Version != Version || document.Layers.IsDefault)
        {
            throw Broken($"only version {Version} with a list of layers is read, and this is version {document?.Version.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}");
        }

        foreach (var layer in document.Layers)
        {
            Check(layer);
        }

        return document.Layers;
    }

    /// <summary>The text for the records.</summary>
    /// <param name="layers">The records.</param>
    public static string Write(ImmutableArray<LayerRecord> layers) => JsonSerializer.Serialize(new Document(Version, layers), s_options);

    /// <summary>Of the records that a model has already, those of whose tensors none is replaced, with the new ones behind them.</summary>
    /// <param name="metadata">The model's metadata.</param>
    /// <param name="replaced">Names of tensors that the new records stand for.</param>
    /// <param name="added">The new records.</param>
    public static string Merge(IReadOnlyDictionary<string, string> metadata, IReadOnlySet<string> replaced, IEnumerable<LayerRecord> added)
        => Write([
            .. Read(metadata).Where(record => !StructureTensors.Slots(record.Form).Any(slot => replaced.Contains(record.TensorName(slot.Suffix)))),
            .. added,
        ]);

    private static void Check(LayerRecord? layer)
    {
        if (layer is null)
        {
            throw Broken("a layer is null");
        }

        CheckForm(layer.Form, layer.Name);
        TensorShape shape;
        try
        {
            shape = new TensorShape(layer.Shape.IsDefault ? [] : layer.Shape.AsSpan());
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            throw Broken($"the shape of layer '{layer.Name}' is impossible", exception);
        }

        if (shape.ElementCount != (long)layer.Form.Rows * layer.Form.Columns)
        {
            throw Broken($"layer '{layer.Name}' of shape {shape} can't be a matrix of {layer.Form.Rows}×{layer.Form.Columns}");
        }
    }

    // The serializer sets Rows and Columns of a form as the text says, past the checks of the constructors.
    private static void CheckForm(StructureForm? form, string name)
    {
        if (form is null || form.Rows < 1 || form.Columns < 1)
        {
            throw Broken($"the structure of layer '{name}' has no rows or columns");
        }

        if (form is ProductForm product)
        {
            CheckForm(product.Left, name);
            CheckForm(product.Right, name);
            if (product.Left.Rows != form.Rows || product.Right.Columns != form.Columns || product.Left.Columns != product.Right.Rows)
            {
                throw Broken($"the factors of layer '{name}' do not make a matrix of {form.Rows}×{form.Columns}");
            }
        }
        else if (form is RowPartitionForm partition)
        {
            foreach (var block in partition.Blocks)
            {
                CheckForm(block, name);
            }

            if (partition.Blocks.Sum(block => (long)block.Rows) != form.Rows || partition.Blocks.Any(block => block.Columns != form.Columns))
            {
                throw Broken($"the blocks of layer '{name}' do not make a matrix of {form.Rows}×{form.Columns}");
            }
        }
    }

    private static ModelFormatException Broken(string reason, Exception? cause = null)
        => new(ModelFormatError.InvalidHeaderDeserialization, $"The metadata '{Key}' is broken: {reason}. Remove it, or take the file as it was written.", innerException: cause);

    private sealed record Document(int Version, ImmutableArray<LayerRecord> Layers);
}
