using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Problems;

namespace Condense.Service.Library;

/// <summary>A change of a model's document (JSON Merge Patch, RFC 7396): what is absent stays, null takes away.</summary>
internal sealed record ModelPatch
{
    /// <summary>The content type.</summary>
    public const string ContentType = "application/merge-patch+json";

    /// <summary>What people shall call it, at most 200 characters; null for nothing.</summary>
    public JsonElement Name { get; init; }

    /// <summary>Names and values of your own to set; null takes one away, or all when it stands for the whole.</summary>
    public JsonElement Metadata { get; init; }

    /// <summary>The name and the metadata after the change.</summary>
    /// <exception cref="ProblemException">The change can't be made: <c>invalid_field</c>.</exception>
    public (string? Name, Dictionary<string, string> Metadata) ApplyTo(StoredModel model)
    {
        var errors = new List<FieldError>();
        string? name = Name.ValueKind switch
        {
            JsonValueKind.Undefined => model.Name,
            JsonValueKind.Null => null,
            JsonValueKind.String => ResourceName.Check(Name.GetString(), "/name"),
            _ => throw ProblemException.Field("/name", "A text belongs here, or null."),
        };
        var metadata = Metadata.ValueKind == JsonValueKind.Null ? [] : model.Metadata();
        if (Metadata.ValueKind == JsonValueKind.Object)
        {
            foreach (var entry in Metadata.EnumerateObject())
            {
                if (entry.Value.ValueKind == JsonValueKind.String)
                {
                    metadata[entry.Name] = entry.Value.GetString()!;
                }
                else if (entry.Value.ValueKind == JsonValueKind.Null)
                {
                    metadata.Remove(entry.Name);
                }
                else
                {
                    errors.Add(new FieldError($"/metadata/{JsonPointer.Escape(entry.Name)}", "A text belongs here, or null."));
                }
            }
        }
        else if (Metadata.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            errors.Add(new FieldError("/metadata", "An object of texts belongs here, or null."));
        }

        ClientMetadata.Check(errors, "/metadata/", metadata);
        ProblemException.ThrowIfAny(errors);
        return (name, metadata);
    }
}
