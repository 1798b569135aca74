using System.Text.Json.Nodes;
using Condense.Service.Jobs;
using Condense.Service.Webhooks;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Hosting;

/// <summary>How the API describes itself: <c>/swagger</c>, and <c>openapi.yaml</c> in the repository.</summary>
internal static class ApiDescription
{
    private const string About =
        """
        Condense makes machine-learning models smaller. Upload a model, say how small it must become, and get back a model that runs in the
        runtime it already uses, with a measured proof of what the compression cost.

        The story in five calls: `POST /v1/models` (upload `samples/moby-dick-lstm.onnx` of the repository), `POST /v1/jobs`
        (`{"model": "mdl_…", "target": {"ratio": 3.5}}`), `GET /v1/jobs/{id}` until `state` is `succeeded`, `GET /v1/jobs/{id}/report`,
        `GET /v1/models/{id}/content` of the result.

        Every answer that is not a success is `application/problem+json` with a stable `code`. Lists come in pages with opaque cursors.
        """;

    /// <summary>Sets the generator up.</summary>
    public static void Configure(SwaggerGenOptions options)
    {
        options.SwaggerDoc("v1", new OpenApiInfo { Title = "Condense", Version = "v1", Description = About });
        options.IncludeXmlComments(typeof(ApiDescription).Assembly, includeControllerXmlComments: true);
        options.IncludeXmlComments(typeof(Pipeline.Reports.CompressionReport).Assembly);
        options.IncludeXmlComments(typeof(Engine.Structures.StructureForm).Assembly);
        options.DocInclusionPredicate((_, operation) => !IsHeadOfGet(operation));
        options.SupportNonNullableReferenceTypes();
        options.NonNullableReferenceTypesAsRequired();
        options.MapType<JsonObject>(() => new OpenApiSchema { Type = JsonSchemaType.Object });
        options.MapType<JsonNode>(() => new OpenApiSchema());
        options.OperationFilter<BodyFilter>();
        options.SchemaFilter<RequiredFilter>();
        options.SchemaFilter<FrequencyFilter>();
        options.DocumentFilter<WebhookDocument>();
        Access.KeyDocumentation.Configure(options);
        options.OperationFilter<ContractFilter>();
    }

    /// <summary>HEAD goes without saying where there is GET.</summary>
    private static bool IsHeadOfGet(Microsoft.AspNetCore.Mvc.ApiExplorer.ApiDescription operation) =>
        string.Equals(operation.HttpMethod, HttpMethods.Head, StringComparison.Ordinal)
        && operation.ActionDescriptor.EndpointMetadata.OfType<IHttpMethodMetadata>().Any(metadata => metadata.HttpMethods.Contains(HttpMethods.Get, StringComparer.Ordinal));

    /// <summary>Bodies and answers that are bytes or text.</summary>
    private sealed class BodyFilter : IOperationFilter
    {
        private const string Counts = """{ "vocab": ["<unk>", "the", "whale"], "counts": [120, 14000, 1200] }""";

        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
            if (metadata.OfType<BodyDocument>().LastOrDefault() is { } body)
            {
                operation.RequestBody = new OpenApiRequestBody
                {
                    Required = body.Required,
                    Content = body.Types.ToDictionary(type => type, IOpenApiMediaType (type) => Describe(type), StringComparer.Ordinal),
                };
            }

            if (metadata.OfType<TextsDocument>().LastOrDefault() is { } texts)
            {
                AddTexts(operation, texts);
            }

            if (metadata.OfType<BytesDocument>().LastOrDefault() is { } bytes)
            {
                foreach (string status in new[] { "200", "206" })
                {
                    if (operation.Responses?.GetValueOrDefault(status) is OpenApiResponse response)
                    {
                        response.Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal)
                        {
                            [bytes.Type] = new OpenApiMediaType { Schema = Binary() },
                        };
                    }
                }
            }
        }

        private static void AddTexts(OpenApiOperation operation, TextsDocument texts)
        {
            var content = ((OpenApiResponse)operation.Responses!["200"]).Content!;
            foreach (string type in texts.Types)
            {
                content[type] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            }
        }

        private static OpenApiSchema Binary() => new() { Type = JsonSchemaType.String, Format = "binary" };

        private static OpenApiMediaType Describe(string type) => type switch
        {
            Library.Upload.OctetStream or Uploads.Tus.ContentType => new OpenApiMediaType { Schema = Binary() },
            Library.Upload.Form => new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string>(StringComparer.Ordinal) { "file" },
                    Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { ["file"] = Binary() },
                },
            },
            Datasets.DatasetEndpoints.Json => new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string>(StringComparer.Ordinal) { "counts" },
                    Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                    {
                        ["vocab"] = Array(JsonSchemaType.String, "The tokens, in the order of the table's rows."),
                        ["counts"] = Array(JsonSchemaType.Number, "How often each occurs; finite, at least 0."),
                    },
                },
                Example = JsonNode.Parse(Counts),
            },
            _ => new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = "the\t14000\nwhale\t1200\n" },
        };

        private static OpenApiSchema Array(JsonSchemaType items, string description) =>
            new() { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = items }, Description = description };
    }

    /// <summary>What a document must have is what the reader of documents asks for: a field with a default may be absent.</summary>
    private sealed class RequiredFilter : ISchemaFilter
    {
        public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
        {
            if (schema.Required is { Count: > 0 } required && context.Type.Assembly == typeof(ApiDescription).Assembly)
            {
                required.ExceptWith(ApiJson.Options.GetTypeInfo(context.Type).Properties.Where(property => !property.IsRequired).Select(property => property.Name));
            }
        }
    }

    /// <summary>Two things that the types do not say: the short form of token counts, and a job that can be tried as it stands.</summary>
    private sealed class FrequencyFilter : ISchemaFilter
    {
        private const string Example = """{ "model": "mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P", "target": { "ratio": 3.5 } }""";

        public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
        {
            if (schema is not OpenApiSchema concrete)
            {
                return;
            }

            if (context.Type == typeof(JobRequest))
            {
                concrete.Examples = [JsonNode.Parse(Example)!];
            }
            else if (context.Type == typeof(FrequencyChoice))
            {
                var form = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = concrete.Required,
                    Properties = concrete.Properties,
                    AdditionalPropertiesAllowed = false,
                };
                concrete.Type = null;
                concrete.Required = null;
                concrete.Properties = null;
                concrete.AdditionalPropertiesAllowed = true;
                concrete.OneOf = [new OpenApiSchema { Type = JsonSchemaType.String, Description = "A dataset's id." }, form];
            }
        }
    }
}
