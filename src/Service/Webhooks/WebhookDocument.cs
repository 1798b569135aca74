using Condense.Service.Jobs;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Webhooks;

/// <summary>Describes what receivers get: the section <c>webhooks</c> of the API's description.</summary>
internal sealed class WebhookDocument : IDocumentFilter
{
    private const string Json = "application/json";

    private static readonly (string Name, string Description)[] s_headers =
    [
        ("webhook-id", "The message, the same at every attempt: who has seen it has nothing more to do."),
        ("webhook-timestamp", "When this attempt was sent, seconds since 1970."),
        ("webhook-signature", "`v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`; two, separated by a space, while a secret rotates."),
    ];

    private static readonly Dictionary<string, string> s_summaries = new(StringComparer.Ordinal)
    {
        [WebhookEvent.ModelReady] = "An uploaded model can be used.",
        [WebhookEvent.ModelRejected] = "An uploaded model can't be used; its findings say why.",
        [EventType.Queued] = "A job was accepted.",
        [EventType.Started] = "An attempt of a job began.",
        [EventType.Progress] = "A job came further; at most once in 5 s, and only to who asks for it.",
        [EventType.Succeeded] = "A job ended well.",
        [EventType.Failed] = "A job ended with an error.",
        [EventType.Canceled] = "A job ended because it was asked to.",
        [EventType.Expired] = "A job ended because nobody had begun it in time.",
        [WebhookEvent.Test] = "Somebody tries an endpoint.",
    };

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        swaggerDoc.Webhooks ??= new Dictionary<string, IOpenApiPathItem>(StringComparer.Ordinal);
        foreach (string type in WebhookEvent.OfModels)
        {
            Add<ModelNotice>(swaggerDoc, context, type);
        }

        foreach (string type in WebhookEvent.OfJobs)
        {
            Add<JobNotice>(swaggerDoc, context, type);
        }

        Add<TestNotice>(swaggerDoc, context, WebhookEvent.Test);
    }

    private static void Add<T>(OpenApiDocument document, DocumentFilterContext context, string type)
    {
        var schema = context.SchemaGenerator.GenerateSchema(typeof(WebhookNotification<T>), context.SchemaRepository);
        var operation = new OpenApiOperation
        {
            Summary = s_summaries[type],
            Parameters = [.. s_headers.Select(header => new OpenApiParameter
            {
                Name = header.Name,
                In = ParameterLocation.Header,
                Required = true,
                Description = header.Description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            })],
            RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal) { [Json] = new OpenApiMediaType { Schema = schema } },
            },
            Responses = new OpenApiResponses
            {
                ["2XX"] = new OpenApiResponse { Description = "Taken. Anything else, or nothing within 15 s, is a failure and tried again." },
                ["410"] = new OpenApiResponse { Description = "Nothing more is wanted: the endpoint is disabled." },
            },
        };
        document.Webhooks![type] = new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = operation } };
    }
}
