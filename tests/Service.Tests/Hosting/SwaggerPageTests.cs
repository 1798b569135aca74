using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class SwaggerPageTests(RunningService service) : IClassFixture<RunningService>
{
    /// <summary>Names the folder that the screenshot is for; without it, the picture stays among the build's outputs.</summary>
    private const string PictureVariable = "CONDENSE_PICTURES";

    private const string Chromium = "/usr/bin/chromium";
    private const int Width = 1280;
    private const int Height = 1600;

    [Fact]
    public async Task The_page_completes_the_story_with_the_sample()
    {
        Assert.SkipUnless(File.Exists(Chromium), $"{Chromium} is not installed.");
        string sample = FindSample();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = Width, Height = Height } });
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        await page.GotoAsync(new Uri(service.Address, "/swagger").ToString());

        var upload = await OpenAsync(page, "CreateModel");
        await upload.Locator("input[type=file]").SetInputFilesAsync(sample);
        string model = (string)(await ExecuteAsync(upload, 201))["id"]!;
        await service.Api.UntilAsync($"/v1/models/{model}", document => (string?)document["state"] == "ready");

        var create = await OpenAsync(page, "CreateJob");
        await create.Locator("textarea").First.FillAsync($$"""{ "model": "{{model}}", "target": { "ratio": 3.5 } }""");
        string job = (string)(await ExecuteAsync(create, 201))["id"]!;
        await service.Api.EndAsync(job);

        var get = await OpenAsync(page, "GetJob");
        await get.Locator("input[placeholder=id]").FillAsync(job);
        var document = await ExecuteAsync(get, 200);
        Assert.Equal("succeeded", (string?)document["state"]);

        var report = await OpenAsync(page, "GetJobReport");
        await report.Locator("input[placeholder=id]").FillAsync(job);
        Assert.True((double)(await ExecuteAsync(report, 200))["ratio"]! >= 3.5);
        Assert.Empty(errors);

        string folder = Environment.GetEnvironmentVariable(PictureVariable) ?? AppContext.BaseDirectory;
        await get.EvaluateAsync("block => block.scrollIntoView()");
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder, "swagger.png") });
    }

    private static async Task<ILocator> OpenAsync(IPage page, string operation)
    {
        var block = page.Locator($"[id$='-{operation}'].opblock");
        await block.Locator(".opblock-summary-control").ClickAsync();
        await block.Locator("button.execute").WaitForAsync();
        return block;
    }

    private static async Task<JsonNode> ExecuteAsync(ILocator block, int status)
    {
        await block.Locator("button.execute").ClickAsync();
        var live = block.Locator(".live-responses-table .response").First;
        await Assertions.Expect(live.Locator(".response-col_status")).ToContainTextAsync($"{status}");
        return JsonNode.Parse(await live.Locator("pre.microlight, .highlight-code pre, pre").First.InnerTextAsync())!;
    }

    private static string FindSample()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "samples", "moby-dick-lstm.onnx");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException("The sample model is not in the repository above the tests.");
    }
}
