using Microsoft.Playwright;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>The browser that users have, where it is installed; a test that needs it skips itself elsewhere.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    /// <summary>Names the folder that screenshots are for; without it, they stay among the build's outputs.</summary>
    private const string PictureVariable = "CONDENSE_PICTURES";

    private const string Program = "/usr/bin/chromium";

    private readonly IPlaywright _playwright;

    private Chromium(IPlaywright playwright, IBrowser browser)
    {
        _playwright = playwright;
        Browser = browser;
    }

    public IBrowser Browser { get; }

    public static async Task<Chromium> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Program), $"{Program} is not installed.");
        var playwright = await Playwright.CreateAsync();
        return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox", "--disable-gpu"] }));
    }

    /// <summary>Where a screenshot goes.</summary>
    public static string Picture(string name) => Path.Combine(Environment.GetEnvironmentVariable(PictureVariable) ?? AppContext.BaseDirectory, name);

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        _playwright.Dispose();
    }
}
