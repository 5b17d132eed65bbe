// SPDX-License-Identifier: Apache-2.0
// The hubs of tests/conformance/testhub.c on ASP.NET Core: what our own answers are held
// against, where its SDK is at hand. Never needed to build or test Heliograph.
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
builder.Services.AddSignalR(options => options.EnableDetailedErrors = true)
    .AddJsonProtocol(options => options.PayloadSerializerOptions.PropertyNamingPolicy = null);
builder.Services.AddSignalR().AddHubOptions<AuthorizedHub>(options => options.KeepAliveInterval = TimeSpan.FromMilliseconds(200));
var app = builder.Build();
// As the tests' hub: any token will do, none will not.
app.Use((context, next) =>
{
    var hasToken = context.Request.Headers.Authorization.Count > 0 || context.Request.Query.ContainsKey("access_token");
    if (!context.Request.Path.StartsWithSegments("/authorizedhub") || hasToken)
        return next(context);
    context.Response.StatusCode = 401;
    return Task.CompletedTask;
});
app.MapHub<TestHub>("/testhub", options => options.AllowStatefulReconnects = true);
app.MapHub<AuthorizedHub>("/authorizedhub");
app.MapHub<UncreatableHub>("/uncreatable");
app.Run(args[0]);

public class TestHub : Hub
{
    public string Echo(string message) => message;
    public string GetCallerConnectionId() => Context.ConnectionId;
    public void ThrowException(string message) => throw new InvalidOperationException(message);
    public Task InvokeWithString(string message) => Clients.Caller.SendAsync("Message", message);
    public Task SendCustomObject(CustomObject customObject) => Clients.Caller.SendAsync("CustomObject", customObject);
    public object EchoComplexObject(object value) => value;
    public object SendComplexObject() => new ComplexObject();
    public string GetActiveTransportName() => Context.Features.Get<Microsoft.AspNetCore.Http.Connections.Features.IHttpTransportFeature>()!.TransportType.ToString();
    public string? GetHeader(string name) => Context.GetHttpContext()!.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    public async IAsyncEnumerable<string> Stream()
    {
        foreach (var item in new[] { "a", "b", "c" })
        {
            await Task.Yield();
            yield return item;
        }
    }

    public async IAsyncEnumerable<string> EmptyStream()
    {
        await Task.Yield();
        yield break;
    }

    public IAsyncEnumerable<string> StreamThrowException(string message) => throw new InvalidOperationException(message);

    public async IAsyncEnumerable<int> InfiniteStream([EnumeratorCancellation] CancellationToken token)
    {
        var caller = Clients.Caller;
        try
        {
            await Task.Delay(Timeout.Infinite, token);
        }
        finally
        {
            await caller.SendAsync("StreamCanceled");
        }
        yield break;
    }

    public async Task<string> StreamingConcat(IAsyncEnumerable<string> items)
    {
        var text = new StringBuilder();
        await foreach (var item in items)
            text.Append(item);
        return text.ToString();
    }

    public async Task<int> ClientResult(string id)
    {
        return await Clients.Client(id).InvokeAsync<int>("Result", CancellationToken.None);
    }
}

public class AuthorizedHub : Hub
{
    public string Echo(string message) => message;
}

public class UncreatableHub : Hub
{
    public UncreatableHub() => throw new InvalidOperationException("Unable to create the hub.");
    public string Echo(string message) => message;
}

public class CustomObject
{
    public string Name { get; set; } = "";
    public int Value { get; set; }
}

public class ComplexObject
{
    public byte[] ByteArray { get; set; } = { 1, 2, 3 };
    public DateTime DateTime { get; set; } = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    public Guid Guid { get; set; } = new("00010203-0405-0607-0706-050403020100");
    public int[] IntArray { get; set; } = { 1, 2, 3 };
    public string String { get; set; } = "hello world";
}
