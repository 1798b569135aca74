namespace Condense.Pipeline.Stages;

/// <summary>
/// Where runs on several machines share finished pieces, and the layers that are still to do. Everything is an offer: a run that finds nothing here
/// computes it, to the same bytes. The command line has none; the service's leads to its database.
/// </summary>
public interface IPieceExchange
{
    /// <summary>Fetches a piece that another run has made.</summary>
    /// <param name="key">The digest of all that goes into it.</param>
    /// <param name="path">Where it shall lie; it appears there whole or not at all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it lies there now.</returns>
    Task<bool> FetchAsync(string key, string path, CancellationToken cancellationToken);

    /// <summary>Offers a finished piece to others. They may get it later, from the file, which must not change.</summary>
    /// <param name="key">The digest of all that went into it.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task OfferAsync(string key, string path, CancellationToken cancellationToken);

    /// <summary>Invites others to work on layers of a stage. Whoever takes one finds all pieces that were offered before.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="layers">What is to do.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task ShareAsync(Stage stage, IReadOnlyList<SharedLayer> layers, CancellationToken cancellationToken);

    /// <summary>Takes a shared layer to work on, the dearest first.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The layer's number; null when there is none left. The run that shares waits for what others have taken; should they die, it gets theirs.</returns>
    Task<int?> TakeAsync(Stage stage, CancellationToken cancellationToken);

    /// <summary>Says that a layer that was taken is finished, and its pieces offered.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="layer">The layer's number.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task FinishAsync(Stage stage, int layer, CancellationToken cancellationToken);
}
