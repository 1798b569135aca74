using Condense.Service.Access;
using Condense.Pipeline.Recipes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Condense.Service.Methods;

/// <summary>The address <c>/v1/methods</c>.</summary>
internal static class MethodEndpoints
{
    /// <summary>Adds it.</summary>
    public static void MapMethods(this RouteGroupBuilder group) =>
        group.MapGet("/methods", List).WithTags("Methods").WithName("ListMethods").NeedsKey();

    /// <summary>Lists the methods.</summary>
    /// <remarks>Every method of this version: what it does, its settings as JSON Schema, what it can use, and the roles of weights that it applies to.</remarks>
    /// <response code="200">The catalogue.</response>
    public static Ok<MethodList> List() => TypedResults.Ok(new MethodList { Methods = MethodCatalogue.All });
}

/// <summary>The catalogue of methods.</summary>
internal sealed record MethodList
{
    /// <summary>The methods, by name.</summary>
    public required IReadOnlyList<MethodDescription> Methods { get; init; }
}
