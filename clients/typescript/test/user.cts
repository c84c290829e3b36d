// What a user writes whose program is CommonJS.
import headroom = require("headroom-client");
import OpenAI = require("openai");

const gpt: OpenAI.OpenAI = headroom.withHeadroom(new OpenAI.OpenAI({ apiKey: "k" }), {
  command: "/nonexistent/headroom",
});
const turns: OpenAI.OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
headroom.compress(turns, { command: "/nonexistent/headroom" }).then((made) => {
  if (made.messages !== turns || !gpt.baseURL) throw new Error("another list");
  console.log("ok");
});
