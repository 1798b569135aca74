using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Idempotency;

/// <summary>Describes the header on every POST.</summary>
internal sealed class IdempotencyParameter : IOperationFilter
{
    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (string.Equals(context.ApiDescription.HttpMethod, HttpMethods.Post, StringComparison.OrdinalIgnoreCase))
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = IdempotencyMiddleware.Header,
                In = ParameterLocation.Header,
                Description = "A name for this request, for example a UUID. Sent again with the same name, it is not carried out again: the first answer is kept for 24 hours and comes again, with `Idempotent-Replayed: true`.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyMiddleware.MaxLength },
            });
        }
    }
}
