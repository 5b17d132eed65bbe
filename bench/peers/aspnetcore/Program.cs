// SPDX-License-Identifier: Apache-2.0
// The hub of bench/HUB.md on ASP.NET Core SignalR. Never needed to build or run Heliograph.
using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders();
builder.Services.AddSingleton<IUserIdProvider, TokenUser>();
builder.Services.AddSignalR(options =>
{
    options.KeepAliveInterval = TimeSpan.FromMinutes(10); // no pings while figures are taken
    options.ClientTimeoutInterval = TimeSpan.FromMinutes(30);
    options.MaximumReceiveMessageSize = 2 << 20;
});
var app = builder.Build();
app.MapHub<Bench>("/hubs/bench", options => options.ApplicationMaxBufferSize = 2 << 20);
app.Urls.Add($"http://127.0.0.1:{args.FirstOrDefault("0")}");
await app.StartAsync();
Console.WriteLine($"listening {new Uri(app.Urls.First()).Port}");
await app.WaitForShutdownAsync();

public class Bench : Hub
{
    public string Echo(string payload) => payload;
    public Task Broadcast(string payload) => Clients.All.SendAsync("Receive", payload);
    public Task SendToGroup(string group, string payload) => Clients.Group(group).SendAsync("Receive", payload);
    public Task SendToUser(string user, string payload) => Clients.User(user).SendAsync("Receive", payload);
    public Task SendToConnection(string connectionId, string payload) => Clients.Client(connectionId).SendAsync("Receive", payload);
    public Task JoinGroup(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);
    public Task LeaveGroup(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

    public async IAsyncEnumerable<string> Stream(int count, int size)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return i.ToString($"D{size}");
        }
    }

    public async Task<int> Upload(IAsyncEnumerable<string> items)
    {
        var count = 0;
        await foreach (var _ in items)
            count++;
        return count;
    }

    public Task<string> Ask(string connectionId, string payload) =>
        Clients.Client(connectionId).InvokeAsync<string>("Answer", payload, CancellationToken.None);
}

// Who a client is, is what its token says: an unchecked one, since checking is not measured.
public class TokenUser : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection)
    {
        var request = connection.GetHttpContext()!.Request;
        var token = request.Query["access_token"].FirstOrDefault() ?? request.Headers.Authorization.FirstOrDefault()?.Split(' ').Last();
        if (token?.Split('.') is not { Length: 3 } parts)
            return null;
        var body = Convert.FromBase64String(parts[1].Replace('-', '+').Replace('_', '/').PadRight((parts[1].Length + 3) / 4 * 4, '='));
        return System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("sub").GetString();
    }
}
