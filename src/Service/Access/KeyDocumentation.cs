using Condense.Service.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Access;

/// <summary>What the description of the API says of keys: which operations ask for one, with which scope, and how they refuse.</summary>
internal sealed class KeyDocumentation : IOperationFilter
{
    private const string Scheme = "key";

    /// <summary>Adds it.</summary>
    public static void Configure(SwaggerGenOptions options)
    {
        options.AddSecurityDefinition(Scheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = $"A key, `{KeyText.Start}…`. Where the service listens on loopback only and no key exists, none is asked for.",
        });
        options.OperationFilter<KeyDocumentation>();
    }

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<NeededScope>().LastOrDefault() is not { } needed)
        {
            return;
        }

        operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
        operation.Responses ??= [];
        Add(operation.Responses, context, StatusCodes.Status401Unauthorized, "There is no valid key: `unauthenticated`, `key_expired`.");
        if (needed.Scope is { } scope)
        {
            Add(operation.Responses, context, StatusCodes.Status403Forbidden, $"The key does not have the scope `{scope}`: `insufficient_scope`.");
        }

        Add(operation.Responses, context, StatusCodes.Status429TooManyRequests, "Too often, or too much: `rate_limited`, `quota_exceeded`.");
    }

    private static void Add(OpenApiResponses responses, OperationFilterContext context, int status, string description) =>
        responses[FormattableString.Invariant($"{status}")] = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal)
            {
                [Problem.ContentType] = new OpenApiMediaType { Schema = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository) },
            },
        };
}
