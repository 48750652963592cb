// Starts the page.

document.addEventListener('key-needed', () => {
  if (!element('key-form').hidden) return;
  element('key-form').hidden = false;
  element('key').focus();
});
element('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  apiKey.set(element('key').value);
  element('key-form').hidden = true;
  element('prompt').focus();
  ranks.follow();
});

settings.start();
talk.start();
ranks.start();
health.start();
