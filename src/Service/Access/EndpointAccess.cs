namespace Condense.Service.Access;

/// <summary>Says who may use an endpoint. One that does not say so answers nobody.</summary>
internal static class EndpointAccess
{
    /// <summary>Only a caller with this scope.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder endpoint, string scope) => endpoint.WithMetadata(new NeededScope(scope));

    /// <summary>Any caller with a key.</summary>
    public static RouteHandlerBuilder NeedsKey(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new NeededScope(null));

    /// <summary>Everybody.</summary>
    public static RouteHandlerBuilder IsOpen(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new OpenEndpoint());
}

/// <summary>The scope that an endpoint asks for.</summary>
/// <param name="Scope">One of <see cref="Access.Scope"/>; null when any key will do.</param>
internal sealed record NeededScope(string? Scope);

/// <summary>Marks an endpoint that needs no key.</summary>
internal sealed record OpenEndpoint;
