// The token stands behind the `#` of the tablet's link: it goes into the form, and out of the history.

const form = document.getElementById("entrance");
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
}
