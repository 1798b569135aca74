using System.Globalization;
using Condense.Service.Access;
using Condense.Service.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Condense.Service.Hosting;

/// <summary>Writes the contracts of endpoints into the description of the API.</summary>
internal sealed class ContractFilter : IOperationFilter
{
    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var contract = new EndpointContract(context.ApiDescription);
        operation.Parameters ??= [];
        operation.Responses ??= [];
        AddQueries(operation.Parameters, contract);
        AddReads(operation.Parameters, contract, context.Document);
        bool hasBodies = !string.Equals(context.ApiDescription.HttpMethod, HttpMethods.Head, StringComparison.OrdinalIgnoreCase);
        string? scope = context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<NeededScope>().LastOrDefault()?.Scope;
        foreach (var kinds in contract.Problems)
        {
            operation.Responses[Text(kinds.Key)] = new OpenApiResponse
            {
                Description = string.Join(' ', kinds.Select(kind => Describe(kind, scope))),
                Content = hasBodies ? Body(context) : null,
            };
        }

        foreach (var (status, response) in operation.Responses)
        {
            AddSends((OpenApiResponse)response, contract.Sends(int.Parse(status, CultureInfo.InvariantCulture)), context.Document);
        }
    }

    private static void AddQueries(IList<IOpenApiParameter> parameters, EndpointContract contract)
    {
        foreach (var query in contract.Queries)
        {
            if (parameters.OfType<OpenApiParameter>().FirstOrDefault(parameter => string.Equals(parameter.Name, query.Name, StringComparison.Ordinal)) is not { } parameter)
            {
                parameter = new OpenApiParameter { Name = query.Name, In = ParameterLocation.Query, Style = ParameterStyle.Form, Explode = true };
                parameters.Add(parameter);
            }

            parameter.Schema = query.Schema;
            parameter.Description = query.Description ?? parameter.Description;
        }
    }

    /// <summary>A header that the handler has as a parameter is described by its field all the same.</summary>
    private static void AddReads(IList<IOpenApiParameter> parameters, EndpointContract contract, OpenApiDocument document)
    {
        var components = Components(document);
        components.Parameters ??= new Dictionary<string, IOpenApiParameter>(StringComparer.Ordinal);
        foreach (var field in contract.Reads)
        {
            components.Parameters.TryAdd(field.Name, new OpenApiParameter
            {
                Name = field.Name,
                In = ParameterLocation.Header,
                Description = field.Description,
                Required = field.Required,
                Schema = field.Schema,
            });
            if (parameters.FirstOrDefault(parameter => string.Equals(parameter.Name, field.Name, StringComparison.Ordinal)) is { } bound)
            {
                parameters.Remove(bound);
            }

            parameters.Add(new OpenApiParameterReference(field.Name, document));
        }
    }

    private static void AddSends(OpenApiResponse response, IEnumerable<ResponseField> fields, OpenApiDocument document)
    {
        var components = Components(document);
        components.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            components.Headers.TryAdd(field.Name, new OpenApiHeader { Description = field.Description, Schema = field.Schema });
            response.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
            response.Headers[field.Name] = new OpenApiHeaderReference(field.Name, document);
        }
    }

    private static string Describe(ProblemKind kind, string? scope) =>
        scope is not null && kind == ProblemKind.InsufficientScope ? $"`{kind.Code}`: The key does not have the scope `{scope}`." : $"`{kind.Code}`: {kind.Title}";

    private static Dictionary<string, IOpenApiMediaType> Body(OperationFilterContext context) => new(StringComparer.Ordinal)
    {
        [Problem.ContentType] = new OpenApiMediaType { Schema = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository) },
    };

    private static OpenApiComponents Components(OpenApiDocument document) => document.Components ??= new OpenApiComponents();

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
