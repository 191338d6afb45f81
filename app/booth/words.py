"""The booth's words in the languages of its guests, on the page and in mails."""

from __future__ import annotations

from collections.abc import Mapping

_KEYS = (
    *("language", "title", "start", "gallery", "get_ready", "smile", "making", "choice", "retake", "keep"),
    *("form", "name", "email", "consent", "send", "cancel", "done", "scan", "sending", "sent", "later", "no_link"),
    *("finish", "preview", "bad_name", "bad_email", "no_consent", "denied", "no_camera", "insecure", "camera_failed"),
    *("away", "failed", "space", "erase", "shift", "full_screen", "leaving", "letters", "keyboard", "shown"),
    *("mail_subject", "mail_hello", "mail_text", "mail_until", "mail_delete"),
    *("page_title", "page_text", "page_delete", "page_deleted", "page_gone"),
)

_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        *("English", "Photo booth", "Touch to start", "This evening", "Get ready", "Smile!", "One moment …"),
        *("Do you like it?", "Once more", "Keep it", "Where shall we send it?", "Name", "E-mail"),
        "I agree that my pictures, my name and my address are kept to send me the pictures.",
        *("Send", "Cancel", "Done!", "Scan the code to get your pictures.", "It is being sent to you."),
        *("It is sent to you by mail.", "It will be sent when there is a connection.", "The host has your pictures."),
        *("Finish", "That's you!", "Please type your name (up to 300 letters)."),
        "This cannot be an e-mail address: it looks like name@example.org.",
        "Please agree, or cancel: without consent nothing is kept.",
        "The browser may not use the camera: allow it in the browser's settings for this page, and load it again.",
        "This tablet has no camera that the browser can use.",
        "The browser gives no page the camera over http: open this page by https, or on the machine itself.",
        "The camera gave no picture. Please try again.",
        *("No connection: please wait a moment.", "That did not work. Please try again.", "Space", "Erase", "Shift"),
        *("Full screen", "Back to the start in {seconds} s", "Other letters", "The tablet's keyboard"),
        "This evening others may see them on this page.",
        *("Your pictures", "Hello {name},", "here are your pictures from the photo booth:"),
        *("The link works for {days} days.", "To delete them, open this page and press its button:"),
        *("Your pictures", "They can be deleted here, for good.", "Delete my pictures", "Your pictures are deleted."),
        "These pictures are no longer here.",
    ),
    "de": (
        *("Deutsch", "Fotobox", "Zum Start berühren", "Heute Abend", "Macht euch bereit", "Lächeln!"),
        *("Einen Moment …", "Gefällt es dir?", "Noch einmal", "Behalten", "Wohin dürfen wir es schicken?", "Name"),
        "E-Mail",
        "Ich bin einverstanden, dass meine Bilder, mein Name und meine Adresse gespeichert werden, um mir die Bilder"
        " zu schicken.",
        *("Senden", "Abbrechen", "Fertig!", "Der Code führt zu deinen Bildern.", "Es wird dir geschickt."),
        *("Es wurde dir per Mail geschickt.", "Es wird geschickt, sobald es eine Verbindung gibt."),
        *("Deine Bilder sind beim Gastgeber.", "Fertig", "Das bist du!"),
        "Bitte gib deinen Namen ein (höchstens 300 Buchstaben).",
        "Das kann keine E-Mail-Adresse sein: Sie sieht aus wie name@example.org.",
        "Bitte stimme zu oder brich ab: Ohne Zustimmung wird nichts gespeichert.",
        "Der Browser darf die Kamera nicht benutzen: Erlaube sie in seinen Einstellungen für diese Seite und lade sie"
        " neu.",
        "Dieses Tablet hat keine Kamera, die der Browser benutzen kann.",
        "Der Browser gibt die Kamera über http nicht frei: Öffne die Seite über https oder auf dem Gerät selbst.",
        "Die Kamera hat kein Bild geliefert. Bitte versuche es noch einmal.",
        *("Keine Verbindung: Bitte warte einen Moment.", "Das ging nicht. Bitte versuche es noch einmal."),
        *("Leerzeichen", "Löschen", "Umschalten", "Vollbild", "Zurück zum Anfang in {seconds} s"),
        *("Andere Buchstaben", "Die Tastatur des Tablets"),
        "Heute Abend dürfen andere sie auf dieser Seite sehen.",
        *("Deine Bilder", "Hallo {name},", "hier sind deine Bilder aus der Fotobox:"),
        *("Der Link gilt {days} Tage.", "Zum Löschen öffne diese Seite und drücke den Knopf:"),
        *("Deine Bilder", "Hier kannst du sie endgültig löschen.", "Meine Bilder löschen"),
        *("Deine Bilder sind gelöscht.", "Diese Bilder sind nicht mehr hier."),
    ),
    "es": (
        *("Español", "Fotomatón", "Toca para empezar", "Esta noche", "Preparaos", "¡Sonríe!", "Un momento …"),
        *("¿Te gusta?", "Otra vez", "Guardar", "¿Adónde lo enviamos?", "Nombre", "Correo electrónico"),
        "Acepto que se guarden mis fotos, mi nombre y mi dirección para enviarme las fotos.",
        *("Enviar", "Cancelar", "¡Listo!", "Escanea el código para ver tus fotos.", "Se te está enviando."),
        *("Se te ha enviado por correo.", "Se enviará cuando haya conexión.", "El anfitrión tiene tus fotos."),
        *("Terminar", "¡Eres tú!", "Escribe tu nombre (hasta 300 letras)."),
        "Esto no puede ser una dirección de correo: tiene la forma nombre@example.org.",
        "Acepta, por favor, o cancela: sin tu consentimiento no se guarda nada.",
        "El navegador no puede usar la cámara: permítela en sus ajustes para esta página y vuelve a cargarla.",
        "Esta tableta no tiene una cámara que el navegador pueda usar.",
        "El navegador no da la cámara por http: abre esta página por https o en el propio equipo.",
        "La cámara no dio ninguna foto. Inténtalo otra vez.",
        *("Sin conexión: espera un momento.", "No ha funcionado. Inténtalo otra vez.", "Espacio", "Borrar"),
        *("Mayúsculas", "Pantalla completa", "Vuelta al inicio en {seconds} s"),
        *("Otras letras", "El teclado de la tableta", "Esta noche otros pueden verlas en esta página."),
        *("Tus fotos", "Hola {name}:", "aquí están tus fotos del fotomatón:"),
        *("El enlace vale {days} días.", "Para borrarlas, abre esta página y pulsa el botón:"),
        *("Tus fotos", "Aquí puedes borrarlas para siempre.", "Borrar mis fotos", "Tus fotos están borradas."),
        "Estas fotos ya no están aquí.",
    ),
    "fr": (
        *("Français", "Photomaton", "Touchez pour commencer", "Ce soir", "Préparez-vous", "Souriez !"),
        *("Un instant …", "Ça vous plaît ?", "Recommencer", "Garder", "Où l’envoyer ?", "Nom", "E-mail"),
        "J’accepte que mes photos, mon nom et mon adresse soient conservés pour m’envoyer les photos.",
        *("Envoyer", "Annuler", "C’est fait !", "Scannez le code pour voir vos photos.", "L’envoi est en cours."),
        *("L’e-mail est parti.", "L’envoi se fera dès qu’il y aura une connexion.", "L’hôte a vos photos."),
        *("Terminer", "C’est vous !", "Indiquez votre nom (300 lettres au plus)."),
        "Ce ne peut pas être une adresse e-mail : elle a la forme nom@example.org.",
        "Acceptez ou annulez : sans votre accord, rien n’est conservé.",
        "Le navigateur ne peut pas utiliser la caméra : autorisez-la dans ses réglages pour cette page et rechargez.",
        "Cette tablette n’a pas de caméra que le navigateur puisse utiliser.",
        "Le navigateur ne donne pas la caméra par http : ouvrez cette page par https ou sur la machine elle-même.",
        "La caméra n’a donné aucune photo. Veuillez réessayer.",
        *("Pas de connexion : un instant, s’il vous plaît.", "Cela n’a pas marché. Veuillez réessayer.", "Espace"),
        *("Effacer", "Majuscules", "Plein écran", "Retour au début dans {seconds} s"),
        *("Autres lettres", "Le clavier de la tablette", "Ce soir, d’autres peuvent les voir sur cette page."),
        *("Vos photos", "Bonjour {name},", "voici vos photos du photomaton :"),
        *("Le lien est valable {days} jours.", "Pour les supprimer, ouvrez cette page et appuyez sur le bouton :"),
        *("Vos photos", "Vous pouvez les supprimer ici, définitivement.", "Supprimer mes photos"),
        *("Vos photos sont supprimées.", "Ces photos ne sont plus ici."),
    ),
}

WORDS: Mapping[str, Mapping[str, str]] = {
    language: dict(zip(_KEYS, words, strict=True)) for language, words in _WORDS.items()
}
"""Language -> what it is about -> words."""


def words_of(language: str) -> Mapping[str, str]:
    """The words of a language; English for one that is unknown."""
    return WORDS.get(language, WORDS["en"])
