using System.Net;
using System.Net.Sockets;
using Condense.Service.Problems;
using Microsoft.Extensions.Options;

namespace Condense.Service.Webhooks;

/// <summary>
/// Keeps webhooks out of networks that only this machine can reach. An address is judged when it is stored and again at every connection; the
/// connection then goes to the very IP address that was judged, so a name that answers differently the next time gains nothing.
/// </summary>
internal sealed class WebhookGuard(IHostResolver resolver, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<WebhookGuard> logger)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Refuses an address that webhooks are not sent to.</summary>
    /// <param name="url">The address.</param>
    /// <param name="pointer">Where it stands in the request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <exception cref="ProblemException">It is refused: <c>webhook_url_forbidden</c>.</exception>
    public async Task RequireAsync(string url, string pointer, CancellationToken cancellationToken)
    {
        if (WebhookUrl.WhyNot(url, options.Value) is { } reason)
        {
            throw Forbidden(pointer, reason);
        }

        using var patience = new CancellationTokenSource(s_patience, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await AddressesAsync(new Uri(url).Host, end.Token);
        }
        catch (UnreachableReceiverException exception) when (exception.InnerException is not SocketException { SocketErrorCode: SocketError.TryAgain })
        {
            throw Forbidden(pointer, exception.Message);
        }
        catch (Exception exception) when (exception is UnreachableReceiverException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Nobody could be asked just now. That is not the caller's fault, and every connection asks again.
        }
    }

    /// <summary>Connects to a receiver: to an address that was judged, and to no other.</summary>
    /// <exception cref="UnreachableReceiverException">The name has no address, or one that is not public.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await AddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        for (int i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], context.DnsEndPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < addresses.Count)
            {
                // The next address of the same name.
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>
    /// The addresses of a host; all of them are such that webhooks may go there. A name that exists only inside, and what it stands for there, are
    /// told to the log and not to whoever asks.
    /// </summary>
    private async Task<IReadOnlyList<IPAddress>> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return WebhookUrl.WhyNot(literal, options.Value) is { } known ? throw new UnreachableReceiverException(known) : [literal];
        }

        string unknown = $"The name {host} has no public address.";
        IReadOnlyList<IPAddress> addresses;
        try
        {
            addresses = await resolver.ResolveAsync(host, cancellationToken);
        }
        catch (SocketException exception)
        {
            throw new UnreachableReceiverException(
                exception.SocketErrorCode == SocketError.TryAgain ? $"Nobody could be asked for the addresses of {host}." : unknown, exception);
        }

        if (addresses.Count == 0)
        {
            throw new UnreachableReceiverException(unknown);
        }

        // One that is not public condemns the name: which one a connection takes must not matter.
        foreach (var address in addresses)
        {
            if (WebhookUrl.WhyNot(address, options.Value) is { } reason)
            {
                WebhookLog.NotPublic(logger, reason);
                throw new UnreachableReceiverException(unknown);
            }
        }

        return addresses;
    }

    private static ProblemException Forbidden(string pointer, string reason) =>
        new(ProblemKind.WebhookUrlForbidden, $"Webhooks are not sent there: {reason}", [new FieldError(pointer, reason)]);
}
