using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Access;

/// <summary>What the description of the API says of keys: which operations ask for one, with which scope.</summary>
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

        operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = needed.Scope is { } scope ? [scope] : [] }];
    }
}
